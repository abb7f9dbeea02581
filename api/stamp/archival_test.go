package stamp

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// TestReadingOrder asks poppler for the logical structure: what a screen reader says, and in which order.
func TestReadingOrder(t *testing.T) {
	s := newTestStamper(t)
	spoken := func(sheet Sheet) []string {
		out := run(t, "pdfinfo", "-struct-text", write(t, "c.pdf", issue(t, s, sheet)))
		var lines []string
		for line := range strings.Lines(out) {
			if line = strings.TrimSpace(line); line != "" && line != `""` {
				lines = append(lines, strings.Trim(strings.TrimSuffix(strings.TrimSuffix(line, ":"), " (block)"), `"`))
			}
		}
		return lines
	}
	lines := spoken(marriageSheet())
	place := -1
	for _, want := range []string{
		"Document", "青川市档案馆", "H1", "婚姻登记档案证明", "Table", "TR", "TH", "申请人", "TD", "张㛃", "TH", "身份证号",
		"H2", "档案记载内容", "P", "经查阅馆藏婚姻登记档案，现将有关记载摘录如下：", "依据", "Table", "有效期限", "Figure", "青川市档案馆", "2026年11月23日", "Form",
	} {
		next := place + 1
		for next < len(lines) && lines[next] != want {
			next++
		}
		if next == len(lines) {
			t.Fatalf("%q is not read after %q; all that is read:\n%s", want, lines[max(place, 0)], strings.Join(lines, "\n"))
		}
		place = next
	}
	for _, line := range spoken(longSheet()) {
		if strings.Contains(line, "续页") || strings.Contains(line, "第 2 页") || strings.Contains(line, "仅供") && strings.Count(line, "仅供") > 1 {
			t.Errorf("what repeats on every page is read aloud: %s", line)
		}
	}
}

// TestArchival holds the rules of PDF/A-2a (ISO 19005-2) that a certificate could break, one by one, as qpdf and
// poppler see the file. A validator of the whole standard is asked by make conformance.
func TestArchival(t *testing.T) {
	s := newTestStamper(t)
	for name, sheet := range map[string]Sheet{"Chinese": marriageSheet(), "English": englishSheet(), "long": longSheet()} {
		t.Run(name, func(t *testing.T) {
			pdf := issue(t, s, sheet)
			file := write(t, "c.pdf", pdf)
			checkFonts(t, run(t, "pdffonts", file))
			catalog, objects := structureOf(t, file)
			for _, forbidden := range []string{"/OpenAction", "/AA", "/OCProperties", "/Names", "/Requirements"} { // 6.5, 6.6, 6.9
				if catalog[forbidden] != nil {
					t.Errorf("the catalog has %s", forbidden)
				}
			}
			if catalog["/Metadata"] == nil || catalog["/StructTreeRoot"] == nil || catalog["/Lang"] == nil {
				t.Errorf("the catalog lacks metadata, structure or language: %v", catalog)
			}
			for _, name := range []string{"/Encrypt", "/JavaScript", "/Launch", "/EmbeddedFile", "LZWDecode", "/TR ", "/Alternates"} { // 6.1, 6.2
				if strings.Contains(objects, name) {
					t.Errorf("the file has %s", name)
				}
			}
			checkMetadata(t, pdf, sheet)
			checkIntent(t, objects, s.Stamper)
		})
	}
}

// checkFonts: every font is embedded, as a subset, and can be read back (6.2.11).
func checkFonts(t *testing.T, out string) {
	t.Helper()
	fonts := strings.Split(strings.TrimSpace(out), "\n")[2:]
	if len(fonts) != 2 {
		t.Errorf("%d fonts:\n%s", len(fonts), out)
	}
	for _, line := range fonts {
		if !regexp.MustCompile(`Identity-H\s+yes yes yes`).MatchString(line) {
			t.Errorf("a font is not embedded or not readable: %s", line)
		}
	}
}

// structureOf is the catalog and all objects without their streams, as qpdf reads them.
func structureOf(t *testing.T, file string) (catalog map[string]any, objects string) {
	t.Helper()
	out := run(t, "qpdf", "--json=2", "--json-key=qpdf", file)
	var parsed struct {
		QPDF []json.RawMessage
	}
	if err := json.Unmarshal([]byte(out), &parsed); err != nil || len(parsed.QPDF) != 2 {
		t.Fatalf("qpdf: %v", err)
	}
	var all map[string]struct {
		Value any
		// streams have no value
	}
	if err := json.Unmarshal(parsed.QPDF[1], &all); err != nil {
		t.Fatal(err)
	}
	for _, object := range all {
		if entries, ok := object.Value.(map[string]any); ok && entries["/Type"] == "/Catalog" {
			catalog = entries
		}
	}
	return catalog, string(parsed.QPDF[1])
}

// checkMetadata: the packet stands in the file as it is, says what the file claims to be, and agrees with the
// information dictionary (6.6.2).
func checkMetadata(t *testing.T, pdf []byte, sheet Sheet) {
	t.Helper()
	_, packet, found := bytes.Cut(pdf, []byte(`<?xpacket begin=`))
	if !found || !bytes.Contains(packet, []byte("<pdfaid:part>2</pdfaid:part><pdfaid:conformance>A</pdfaid:conformance>")) {
		t.Error("no metadata that claims PDF/A-2a")
	}
	info := run(t, "pdfinfo", write(t, "c.pdf", pdf))
	meta := run(t, "pdfinfo", "-meta", write(t, "c.pdf", pdf))
	if !strings.Contains(info, sheet.Title) || !strings.Contains(info, sheet.Number) {
		t.Errorf("pdfinfo: %s", info)
	}
	for _, text := range []string{sheet.Title, sheet.Number, sheet.Issuer} {
		var escaped strings.Builder
		for _, r := range text {
			fmt.Fprintf(&escaped, "&#x%X;", r)
		}
		if !strings.Contains(meta, escaped.String()) {
			t.Errorf("the metadata does not have a text of the information dictionary")
		}
	}
}

// checkIntent: one output intent with an RGB profile in the file (6.2.3).
func checkIntent(t *testing.T, objects string, s *Stamper) {
	t.Helper()
	if strings.Count(objects, "GTS_PDFA1") != 1 || !strings.Contains(objects, `"/N": 3`) {
		t.Error("not one output intent with three colours")
	}
	profile := srgbProfile()
	if int(binary.BigEndian.Uint32(profile)) != len(profile) || string(profile[12:20]) != "mntrRGB " || string(profile[36:40]) != "acsp" {
		t.Errorf("the header of the profile: %q", profile[:40])
	}
	count := int(binary.BigEndian.Uint32(profile[128:]))
	for i := range count {
		entry := profile[132+12*i:]
		offset, size := binary.BigEndian.Uint32(entry[4:]), binary.BigEndian.Uint32(entry[8:])
		if offset%4 != 0 || int(offset+size) > len(profile) || int(offset) < 132+12*count {
			t.Errorf("tag %q lies at %d with %d bytes", entry[:4], offset, size)
		}
	}
	if len(s.profile) == 0 {
		t.Error("no profile")
	}
}
