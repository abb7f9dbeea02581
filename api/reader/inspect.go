package reader

import (
	"context"
	"fmt"
	"slices"

	"dangan/archive"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/validate"
)

// inspect validates the structure of a PDF, without inflating page contents,
// and looks through all its objects.
func (j job) inspect(reading *archive.Reading) error {
	document, err := pdfcpu.ReadWithContext(j.ctx, j.src.reader(), parserConfig())
	if err != nil {
		return fmt.Errorf("parse: %w", err)
	}
	if document.Encrypt != nil {
		reject(reading, CodeEncrypted)
	}
	scan := scan{table: document.XRefTable, maxPixels: float64(j.MaxPixels), found: map[string]bool{}}
	if err := scan.all(j.ctx); err != nil {
		return err
	}
	for _, code := range rejected() {
		if scan.found[code] {
			reject(reading, code)
		}
	}
	if scan.found[CodeForm] {
		note(reading, CodeForm)
	}
	if scan.huge {
		reject(reading, CodeBomb)
	}
	if err := validate.XRefTable(document); err != nil {
		return fmt.Errorf("validate: %w", err)
	}
	if len(document.Signatures) > 0 {
		note(reading, CodeSigned)
		if reading.Signatures, err = j.signatures(document.XRefTable); err != nil {
			return err
		}
	}
	reading.Pages = document.PageCount
	switch {
	case document.PageCount < 1:
		reject(reading, CodeDamaged)
	case document.PageCount > j.MaxPages:
		reject(reading, CodeTooManyPages)
	default:
		return checkSizes(reading, document.XRefTable)
	}
	return nil
}

// Sides of a page in points that are accepted: from a stamp to a wall map.
const (
	minSide = 50
	maxSide = 5000
)

// checkSizes asks pdfcpu, because pdfium replaces absurd sizes by Letter.
func checkSizes(reading *archive.Reading, table *model.XRefTable) error {
	pages, err := table.PageBoundaries(nil)
	if err != nil {
		return fmt.Errorf("page sizes: %w", err)
	}
	for _, page := range pages {
		for _, box := range []*types.Rectangle{page.MediaBox(), page.CropBox()} {
			// Written so that NaN is refused as well.
			if !(min(box.Width(), box.Height()) >= minSide && max(box.Width(), box.Height()) <= maxSide) {
				reject(reading, CodePageSize)
				return nil
			}
		}
		crop, turn := page.CropBox(), page.Rot%360
		reading.Sizes = append(reading.Sizes, archive.PageSize{Width: crop.Width(), Height: crop.Height(), Rotate: (turn + 360) % 360})
	}
	return nil
}

// maxObjects is the number of objects in the largest PDF that is read.
const maxObjects = 200_000

// parserConfig returns a new configuration, because pdfcpu writes into the one
// it is given. It is spelled out, instead of asking pdfcpu for its default,
// because the default depends on a package variable and on the home directory.
func parserConfig() *model.Configuration {
	limits := model.DefaultResourceLimits()
	limits.MaxStreamBytes = 64 << 20
	limits.MaxDecodeBytes = 64 << 20
	limits.MaxObjectCount = maxObjects
	limits.MaxXRefEntries = maxObjects
	limits.MaxObjectStreamCount = 50_000
	limits.MaxRecursionDepth = 64
	return &model.Configuration{
		Cmd:            model.VALIDATE,
		Reader15:       true,
		ValidationMode: model.ValidationRelaxed,
		Eol:            types.EolLF,
		Offline:        true,
		Limits:         limits,
	}
}

// scan looks for what a reader of archives must not find in a PDF. It visits
// every object of the file, in use or not, so nothing hides behind a reference
// that only some viewers follow.
type scan struct {
	table     *model.XRefTable
	maxPixels float64
	found     map[string]bool // codes
	huge      bool
}

func (s *scan) all(ctx context.Context) error {
	for _, entry := range s.table.Table {
		if err := ctx.Err(); err != nil {
			return err
		}
		if entry != nil && !entry.Free {
			s.object(entry.Object)
		}
	}
	return nil
}

// object visits direct objects only; references lead to other entries of the
// table, and the parser has bounded the depth of nesting.
func (s *scan) object(object types.Object) {
	switch o := object.(type) {
	case types.Dict:
		s.dict(o)
	case types.StreamDict:
		s.huge = s.huge || s.pixels(o.Dict) > s.maxPixels || s.claimsObjects(o.Dict)
		s.dict(o.Dict)
	case types.ObjectStreamDict:
		s.object(o.StreamDict)
	case types.Array:
		for _, element := range o {
			s.object(element)
		}
	}
}

func (s *scan) dict(d types.Dict) {
	for key, value := range d {
		if code := codeOf(key, name(d, key)); code != "" {
			s.found[code] = true
		}
		s.object(value)
	}
}

// rejected lists what is looked for and must not be found, in the order in which
// it is told.
func rejected() []string {
	return []string{CodeActiveContent, CodePortfolio, CodeAttachments, CodeXFA}
}

// codeOf tells what a dictionary entry does, if it makes a PDF do something,
// carry another file or show other than its pages: ISO 32000-1, 12.6.4 (actions),
// 7.11.4 (embedded files), 7.11.6 (collections), 12.5.6 (annotations), 12.7.4
// (fields), 12.7.8 (XFA).
func codeOf(key, value string) string {
	switch key {
	case "JS":
		return CodeActiveContent
	case "XFA":
		return CodeXFA
	case "EF":
		return CodeAttachments
	case "Collection":
		return CodePortfolio
	case "S":
		switch value {
		case "JavaScript", "Launch", "SubmitForm", "ImportData", "GoToE", "Rendition", "RichMediaExecute":
			return CodeActiveContent
		}
	case "Subtype":
		switch value {
		case "RichMedia", "3D", "Movie", "Sound", "Screen":
			return CodeActiveContent
		case "FileAttachment":
			return CodeAttachments
		}
	case "Type":
		if value == "EmbeddedFile" {
			return CodeAttachments
		}
	case "FT":
		switch value {
		case "Btn", "Tx", "Ch":
			return CodeForm
		}
	}
	return ""
}

// pixels returns the size of a picture, 0 for anything else.
func (s *scan) pixels(d types.Dict) float64 {
	if name(d, "Subtype") != "Image" {
		return 0
	}
	return s.number(d["Width"]) * s.number(d["Height"])
}

// claimsObjects reports whether d is a cross-reference stream that claims more
// objects than allowed. pdfcpu stops at such a stream and then repairs the file
// without it, but pdfium would believe it.
func (s *scan) claimsObjects(d types.Dict) bool {
	if name(d, "Type") != "XRef" {
		return false
	}
	index, _ := d["Index"].(types.Array)
	for _, count := range slices.Concat(index, types.Array{d["Size"]}) {
		if s.number(count) > maxObjects {
			return true
		}
	}
	return false
}

func (s *scan) number(object types.Object) float64 {
	n, err := s.table.DereferenceNumber(object)
	if err != nil {
		return 0
	}
	return n
}

func name(d types.Dict, key string) string {
	value, _ := d[key].(types.Name)
	return string(value)
}
