package archive

import (
	"fmt"
	"slices"
)

// Service is what a request asks for. The empty one is a certificate, which is
// all that could be asked for once.
type Service string

// What may be asked for beside a certificate of what a record states.
const (
	ServiceCopy    Service = "copy" // certified copies of pages (核证副本)
	ServiceHolding         = Service(OfHolding)
	ServiceYears           = Service(OfService)
	ServiceReading         = Service(OfReading)
)

// Services lists the codes with their labels.
func Services() []Choice {
	return []Choice{
		{"", Label{"档案证明", "Certificate"}},
		{string(ServiceCopy), Label{"核证副本", "Certified copy"}},
		{string(ServiceHolding), Label{"存档证明", "Certificate of file held"}},
		{string(ServiceYears), Label{"工作经历（工龄）证明", "Certificate of work experience"}},
		{string(ServiceReading), Label{"查阅回执", "Receipt of reading"}},
	}
}

// Valid reports whether there is such a service.
func (s Service) Valid() bool {
	return slices.ContainsFunc(Services(), func(c Choice) bool { return c.Code == string(s) })
}

// Family is that of the records which the service is given from. Of a personnel
// file its subject gets what is derived from it, and no page.
func (s Service) Family() Family {
	if s == ServiceHolding || s == ServiceYears {
		return Personnel
	}
	return Livelihood
}

// Limits of one certified copy.
const (
	maxCopyPages = 200
	maxBoxes     = 50 // on one page
)

// Copy is what a certified copy is made of: pages of the files of one record, in
// the order in which they are handed out.
type Copy struct {
	Pages []CopyPage `json:"pages"`
	// Originals are the files that the pages are of, as they were when somebody
	// looked at the pages: what was looked at is what is certified.
	Originals []Original `json:"originals"`
	// Append is that marks may be appended to an original, where that can be done.
	Append bool `json:"append,omitempty"`
}

// CopyPage is a page with what is made unreadable on it.
type CopyPage struct {
	PageRef
	Masks []Box `json:"masks,omitempty"`
	// Size is that of the page, noted when it is chosen.
	Size PageSize `json:"size,omitzero" readOnly:"true"`
}

// Box is a rectangle that is blacked out, and why. Its place is in fractions of
// the page as shown, turned to be read, from its top left corner.
type Box struct {
	X      float64    `json:"x" minimum:"0" maximum:"1"`
	Y      float64    `json:"y" minimum:"0" maximum:"1"`
	Width  float64    `json:"width" minimum:"0" maximum:"1"`
	Height float64    `json:"height" minimum:"0" maximum:"1"`
	Reason MaskReason `json:"reason"`
}

// MaskReason says why a part of a page is withheld. It is printed on the cover
// sheet.
type MaskReason string

// The reasons to withhold a part of a page.
const (
	MaskThirdParty MaskReason = "third_party"
	MaskMinor      MaskReason = "minor"
	MaskClosed     MaskReason = "closed"
	MaskUnrelated  MaskReason = "unrelated"
)

// MaskReasons lists the reasons with their labels.
func MaskReasons() []Choice {
	return []Choice{
		{string(MaskThirdParty), Label{"第三人个人信息", "personal data of a third party"}},
		{string(MaskMinor), Label{"未成年人信息", "data of a minor"}},
		{string(MaskClosed), Label{"依法不予开放的内容", "content closed by law"}},
		{string(MaskUnrelated), Label{"与利用目的无关的内容", "content outside the purpose"}},
	}
}

// Label is the reason in words.
func (r MaskReason) Label() Label {
	for _, c := range MaskReasons() {
		if c.Code == string(r) {
			return c.Label
		}
	}
	return Label{}
}

// Original is a file that pages are copied from.
type Original struct {
	File   int    `json:"file"` // from 1
	ID     string `json:"id"`   // of its blob, in the chain of the record
	SHA256 string `json:"sha256"`
	Kind   string `json:"kind"` // media type by content
	Pages  int    `json:"pages"`
	// Images is that the file carries signatures, which say nothing of a copy:
	// its pages are copied as images of themselves.
	Images bool `json:"images,omitempty"`
}

// Codes of the reader's findings that decide how, and whether, a file is copied.
const (
	findingEncrypted = "encrypted"
	findingSigned    = "signed"
	findingTooLarge  = "too_large"
	findingNoPreview = "no_preview"
)

// Uncopyable is the stable code of why no page of the file can be copied; empty
// when pages can.
func (s FileState) Uncopyable() string {
	switch {
	case s.State == Checking:
		return "file_checking"
	case s.found(findingEncrypted):
		return "file_encrypted"
	case s.State != Ready:
		return "file_rejected"
	case s.Pages == 0, s.found(findingTooLarge), s.found(findingNoPreview):
		return "file_unreadable"
	}
	return ""
}

func (s FileState) found(code string) bool {
	return slices.ContainsFunc(s.Findings, func(f Finding) bool { return f.Code == code })
}

// NewCopy makes a copy of pages of a record whose files are as the view says. The
// error is Problems, with every fault of the choice and its place in "pages".
func NewCopy(pages []CopyPage, v RecordView) (Copy, error) {
	var ps Problems
	switch {
	case len(pages) == 0:
		ps.Add("required", "pages")
	case len(pages) > maxCopyPages:
		ps.Add("too_many", "pages")
	}
	c := Copy{Pages: slices.Clone(pages)}
	chosen := map[PageRef]bool{}
	for i, p := range pages {
		field := index("pages", i)
		if chosen[p.PageRef] {
			ps.Add("duplicate", field+".page")
		}
		chosen[p.PageRef] = true
		switch {
		case p.File < 1 || p.File > len(v.Files) || p.File > len(v.States):
			ps.Add("unknown_file", field+".file")
		case v.States[p.File-1].Uncopyable() != "":
			ps.Add(v.States[p.File-1].Uncopyable(), field+".file")
		case p.Page < 1 || p.Page > v.States[p.File-1].Pages:
			ps.Add("unknown_page", field+".page")
		default:
			c.Originals = withOriginal(c.Originals, v, p.File)
			c.Pages[i].Size = PageSize{}
			if sizes := v.States[p.File-1].Sizes; p.Page <= len(sizes) {
				c.Pages[i].Size = sizes[p.Page-1]
			}
		}
		ps = append(ps, boxProblems(p.Masks).In(field)...)
	}
	return c, ps.Err()
}

// Seen is how large the page is as shown, turned to be read; of a file whose sizes
// are not known, like a sheet of A4.
func (p CopyPage) Seen() (width, height float64) {
	width, height = p.Size.Width, p.Size.Height
	switch {
	case width <= 0 || height <= 0:
		return 595.28, 841.89
	case p.Size.Rotate%180 != 0:
		return height, width
	}
	return width, height
}

// withOriginal names a file once, in the order of the record.
func withOriginal(list []Original, v RecordView, n int) []Original {
	i, named := slices.BinarySearchFunc(list, n, func(o Original, n int) int { return o.File - n })
	if named {
		return list
	}
	f, s := v.Files[n-1], v.States[n-1]
	return slices.Insert(list, i, Original{File: n, ID: f.ID, SHA256: f.SHA256, Kind: s.Kind, Pages: s.Pages, Images: s.found(findingSigned)})
}

func boxProblems(boxes []Box) Problems {
	var ps Problems
	if len(boxes) > maxBoxes {
		ps.Add("too_many", "masks")
	}
	for i, b := range boxes {
		field := index("masks", i)
		within := func(from, length float64, side string) {
			const slip = 1e-9 // of adding fractions
			switch {          // written so that NaN is a fault
			case !(from >= 0 && from < 1):
				ps.Add("out_of_range", field+"."+map[string]string{"width": "x", "height": "y"}[side])
			case !(length > 0 && from+length <= 1+slip):
				ps.Add("out_of_range", field+"."+side)
			}
		}
		within(b.X, b.Width, "width")
		within(b.Y, b.Height, "height")
		if b.Reason.Label() == (Label{}) {
			ps.Add("unknown_value", field+".reason")
		}
	}
	return ps
}

// PageRun is a run of pages of a file that follow one another in a copy as they
// do in the file; all count from 1.
type PageRun struct{ At, File, Page, Pages int }

// Runs lists the pages in as few runs as they make.
func (c Copy) Runs() []PageRun {
	var runs []PageRun
	for i, p := range c.Pages {
		if n := len(runs) - 1; n >= 0 && runs[n].File == p.File && runs[n].Page+runs[n].Pages == p.Page {
			runs[n].Pages++
			continue
		}
		runs = append(runs, PageRun{At: i + 1, File: p.File, Page: p.Page, Pages: 1})
	}
	return runs
}

// Span writes the numbers of n things from first on, like "3" or "3–5".
func Span(first, n int) string {
	if n == 1 {
		return fmt.Sprint(first)
	}
	return fmt.Sprintf("%d–%d", first, first+n-1)
}

// FileChoice is a file of a record that pages may be copied of.
type FileChoice struct {
	File    int    `json:"file"` // from 1
	Name    string `json:"name"`
	Kind    string `json:"kind,omitempty"` // media type by content
	Pages   int    `json:"pages"`
	Images  bool   `json:"images,omitempty"`  // signed: copied as images of its pages
	Refused string `json:"refused,omitempty"` // stable code of why none may be
}

// Choices lists the files of the record for whoever chooses pages.
func (v RecordView) Choices() []FileChoice {
	list := make([]FileChoice, len(v.States))
	for i, s := range v.States {
		list[i] = FileChoice{File: i + 1, Name: v.Files[i].Name, Kind: s.Kind, Pages: s.Pages, Images: s.found(findingSigned), Refused: s.Uncopyable()}
	}
	return list
}
