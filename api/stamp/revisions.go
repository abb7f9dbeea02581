package stamp

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Revision is what somebody added behind the seal, as far as it can be said simply. It is for people to
// read: that anything was added at all is decided by bytes, not by this.
type Revision struct {
	Number int      // of the file; the sealed one is 1
	Size   int      // bytes
	Kinds  []string // what its objects are, sorted: "annotation", "page content"; none when it is no update
	Pages  []int    // of the certificate, that it touches; from 1
}

// String says it in a few words.
func (r Revision) String() string {
	if len(r.Kinds) == 0 {
		return fmt.Sprintf("revision %d adds %d bytes that are no update", r.Number, r.Size)
	}
	where := ""
	for i, p := range r.Pages {
		where += fmt.Sprintf("%s%d", [...]string{", page ", " and "}[min(i, 1)], p)
	}
	return fmt.Sprintf("revision %d adds %d bytes: %s%s", r.Number, r.Size, strings.Join(r.Kinds, ", "), where)
}

const (
	maxRevisions = 16      // what comes after is counted to the last
	maxInflated  = 1 << 20 // bytes of an object stream that are looked at
)

// revisions reads what stands behind the sealed bytes.
func revisions(pdf []byte, sealed int) []Revision {
	rest := pdf[sealed:]
	if len(rest) == 0 {
		return nil
	}
	pages := sealedPages(pdf[:sealed])
	var list []Revision
	for len(rest) > 0 {
		end := len(rest)
		if i := bytes.Index(rest, []byte("%%EOF")); i >= 0 && len(list) < maxRevisions-1 {
			end = i + len("%%EOF")
			end += len(rest[end:]) - len(bytes.TrimLeft(rest[end:], "\r\n"))
		}
		r := Revision{Number: len(list) + 2, Size: end}
		r.describe(rest[:end], pages)
		list, rest = append(list, r), rest[end:]
	}
	return list
}

// sealedPages tells which page an object of the certificate belongs to: the page itself and what is drawn
// on it. Issue writes the pages in their order.
func sealedPages(sealed []byte) map[string]int {
	pages := map[string]int{}
	page := regexp.MustCompile(`(?m)^(\d+) 0 obj\n<</Type/Page/.*/Contents (\d+) 0 R`)
	for i, m := range page.FindAllSubmatch(sealed, -1) {
		pages[string(m[1])], pages[string(m[2])] = i+1, i+1
	}
	return pages
}

// describe reads the objects of an update.
func (r *Revision) describe(update []byte, pages map[string]int) {
	kinds, touched := map[string]bool{}, map[int]bool{}
	onPage := regexp.MustCompile(`/P\s+(\d+)\s+0\s+R`)
	for _, o := range objects(update) {
		kind := o.kind()
		page, known := pages[o.number]
		if known && kind != "page" {
			kind = "page content"
		}
		if m := onPage.FindSubmatch(o.head); !known && m != nil {
			page = pages[string(m[1])]
		}
		if kind != "" {
			kinds[kind] = true
		}
		if page > 0 {
			touched[page] = true
		}
	}
	r.Kinds, r.Pages = slices.Sorted(maps.Keys(kinds)), slices.Sorted(maps.Keys(touched))
}

// object is an indirect object of an update, up to its stream.
type object struct {
	number string
	head   []byte
}

// objects finds the objects of an update, those in object streams included (ISO 32000-1, 7.5.7).
func objects(update []byte) []object {
	start := regexp.MustCompile(`(\d+)\s+\d+\s+obj\b`)
	packed := regexp.MustCompile(`/Type\s*/ObjStm\b`)
	var list []object
	found := start.FindAllSubmatchIndex(update, -1)
	for i, m := range found {
		end := len(update)
		if i+1 < len(found) {
			end = found[i+1][0]
		}
		head, stream, _ := bytes.Cut(update[m[1]:end], []byte("stream"))
		if packed.Match(head) {
			list = append(list, unpack(head, bytes.TrimLeft(stream, "\r\n"))...)
			continue
		}
		list = append(list, object{string(update[m[2]:m[3]]), head})
	}
	return list
}

// unpack reads an object stream, or nothing when it cannot be read.
func unpack(head, stream []byte) []object {
	first := regexp.MustCompile(`/First\s+(\d+)`).FindSubmatch(head)
	if first == nil {
		return nil
	}
	offset, _ := strconv.Atoi(string(first[1])) // digits only; too many make it too large
	z, err := zlib.NewReader(bytes.NewReader(stream))
	if err != nil {
		return nil
	}
	raw, _ := io.ReadAll(io.LimitReader(z, maxInflated)) // as far as it goes
	if offset > len(raw) {
		return nil
	}
	var list []object
	index, body := strings.Fields(string(raw[:offset])), raw[offset:]
	for i := 0; i+1 < len(index); i += 2 {
		from, err := strconv.Atoi(index[i+1])
		to := len(body)
		if i+3 < len(index) {
			to, _ = strconv.Atoi(index[i+3])
		}
		if err != nil || from < 0 || from > to || to > len(body) {
			return list
		}
		list = append(list, object{index[i], body[from:to]})
	}
	return list
}

// kind names what an object is; nothing for what only holds the file together.
func (o object) kind() string {
	for _, k := range []struct{ kind, pattern string }{
		{"", `/Type\s*/XRef\b`},
		{"script", `/S\s*/JavaScript\b|/JS\b`},
		{"signature", `/Type\s*/(Sig|DocTimeStamp)\b|/ByteRange\b`},
		{"form field", `/Subtype\s*/Widget\b|/FT\s*/`},
		{"annotation", `/Type\s*/Annot\b|/Subtype\s*/(Text|Link|FreeText|Line|Square|Circle|Polygon|PolyLine|Highlight|Underline|Squiggly|StrikeOut|Stamp|Caret|Ink|Popup|FileAttachment|Redact)\b`},
		{"attachment", `/Type\s*/(Filespec|EmbeddedFile)\b`},
		{"page", `/Type\s*/Page\b`},
		{"page tree", `/Type\s*/Pages\b`},
		{"catalog", `/Type\s*/Catalog\b`},
		{"metadata", `/Type\s*/Metadata\b|/Producer\b|/ModDate\b`},
		{"picture", `/Subtype\s*/Image\b`},
		{"drawing", `/Subtype\s*/Form\b`},
		{"font", `/Type\s*/Font`},
		{"validation data", `/Type\s*/DSS\b|/CRLs\b|/OCSPs\b`},
	} {
		if regexp.MustCompile(k.pattern).Match(o.head) {
			return k.kind
		}
	}
	return "other objects"
}
