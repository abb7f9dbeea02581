package demo

import (
	"fmt"
	"image/color"
	"math/rand/v2"
	"strings"

	"dangan/api/stamp"
	"dangan/archive"
)

// File is a scan of a record.
type File struct {
	Name      string
	MediaType string
	Bytes     []byte
}

// Files draws the scans of the record: the same ones every time.
func (d Deposit) Files(p *Painter, s archive.Schema) ([]File, error) {
	r := rand.New(rand.NewPCG(d.seed, 1))
	c, _ := s.Category(d.Record.Category)
	switch d.shape {
	case typedPDF:
		return d.typed(p, c)
	case typedAndOld:
		files, err := d.typed(p, c)
		if err != nil {
			return nil, err
		}
		page, err := d.form(p, c, r)
		return append(files, File{"登记表.jpg", "image/jpeg", page}), err
	}
	pages, err := d.pages(p, c, r)
	if err != nil {
		return nil, err
	}
	if d.shape == scannedPDF {
		return []File{{"扫描件.pdf", "application/pdf", imagePDF(pages)}}, nil
	}
	var files []File
	for i, page := range pages {
		files = append(files, File{fmt.Sprintf("%03d.jpg", i+1), "image/jpeg", page})
	}
	return files, nil
}

// pages are the form and, for many records of people's lives, a statement or two.
func (d Deposit) pages(p *Painter, c archive.Category, r *rand.Rand) ([][]byte, error) {
	page, err := d.form(p, c, r)
	pages := [][]byte{page}
	for n := r.IntN(3); n > 0 && err == nil && d.Record.Family == archive.Livelihood; n-- {
		page, err = d.statement(p, c, r)
		pages = append(pages, page)
	}
	return pages, err
}

// line is a row of a form.
type line struct{ label, value string }

// lines says in words what the record says in codes.
func lines(rec archive.Record, c archive.Category) []line {
	var list []line
	for _, p := range rec.Persons {
		list = append(list, line{c.RoleLabel(p.Role).ZH, describe(p)})
		if !p.ID.IsZero() {
			list = append(list, line{"身份证号", p.ID.Original})
		}
	}
	return append(list, fields(rec, c)...)
}

func describe(p archive.Person) string {
	words := []string{p.Name}
	if len(p.Aliases) > 0 {
		words = append(words, "（曾用名"+strings.Join(p.Aliases, "、")+"）")
	}
	if p.Sex != archive.SexUnsaid {
		words = append(words, map[archive.Sex]string{archive.Male: "男", archive.Female: "女"}[p.Sex])
	}
	if !p.Birth.IsZero() {
		words = append(words, p.Birth.Chinese()+"生")
	}
	return strings.Join(words, "  ")
}

func fields(rec archive.Record, c archive.Category) []line {
	var list []line
	for _, f := range c.Fields {
		if v := rec.Fields[f.Key]; v != "" {
			list = append(list, line{f.Label.ZH, value(f, v)})
		}
	}
	return list
}

func value(f archive.Field, v string) string {
	if f.Type == archive.FieldDate {
		return written(v).Chinese()
	}
	for _, o := range f.Options {
		if o.Code == v {
			return o.Label.ZH
		}
	}
	return v
}

// Where the table of a form stands.
const (
	left, right = 90, 760
	divide      = 240
	top, row    = 232, 46
)

// form is a printed form that was filled in by hand.
func (d Deposit) form(p *Painter, c archive.Category, r *rand.Rand) ([]byte, error) {
	s, rec := p.sheet(r), d.Record
	s.middle(s.bold, red(), 34, 128, rec.Responsible)
	s.middle(s.bold, red(), 26, 176, heading(rec, c))
	s.print(s.regular, black(), 15, left, 220, "档号："+rec.RefCode.Original)
	ink := color.RGBA{120, 40, 36, 255}
	y := top
	s.horizontal(ink, left, right, y)
	for _, l := range lines(rec, c) {
		s.print(s.regular, red(), 18, left+10, float64(y+30), l.label)
		end := s.write(blue(), 20, divide+12, float64(y+31), right-8, l.value)
		height := max(row, int(end)-y+16)
		s.vertical(ink, left, y, y+height)
		s.vertical(ink, divide, y, y+height)
		s.vertical(ink, right, y, y+height)
		y += height
		s.horizontal(ink, left, right, y)
	}
	s.close(rec, y+70)
	return s.jpeg()
}

// heading is the name of the form.
func heading(rec archive.Record, c archive.Category) string {
	if rec.Family == archive.Personnel {
		return strings.TrimPrefix(rec.Title, rec.Persons[0].Name)
	}
	return strings.TrimSuffix(c.Label.ZH, "登记") + "登记表"
}

// close ends a page: who signs, when, and the stamp over both.
func (s *sheet) close(rec archive.Record, y int) {
	y = min(y, pageHeight-150)
	s.print(s.regular, black(), 18, 430, float64(y), rec.Responsible+"（盖章）")
	s.write(blue(), 19, 500, float64(y+44), right, rec.Date.Chinese())
	s.seal(rec.Responsible, 470+s.rand.IntN(30), max(0, y-110+s.rand.IntN(20)))
}

// statement is a page of ruled paper, written by hand.
func (d Deposit) statement(p *Painter, c archive.Category, r *rand.Rand) ([]byte, error) {
	s, rec := p.sheet(r), d.Record
	s.middle(s.bold, black(), 28, 130, "证明材料")
	for y := 190; y < pageHeight-180; y += 42 {
		s.horizontal(color.RGBA{205, 160, 150, 255}, left, right, y)
	}
	text := "经查阅有关材料，" + strings.Join(c.Sentences(rec), "") + pick(r, []string{
		"以上情况经查属实，同意办理。", "经调查核实，情况属实，特此证明。", "本人所述完全属实，如有不实，愿承担一切责任。", "原件存档，此件由经办人核对无误。"})
	y := 180.0
	for _, paragraph := range []string{"　　" + text, "　　此致", "敬礼"} {
		y = s.ruled(paragraph, y) + 42
	}
	s.close(rec, int(y)+40)
	return s.jpeg()
}

// ruled writes along the lines of the paper.
func (s *sheet) ruled(text string, y float64) float64 {
	return s.write(blue(), 28, left+4, y, right, text) // 1.5 × 28 is the distance of the lines
}

// typed is a page from an office with a printer: a PDF with its text in it.
func (d Deposit) typed(p *Painter, c archive.Category) ([]File, error) {
	rec := d.Record
	var facts stamp.Paragraph
	for _, l := range fields(rec, c) {
		facts = append(facts, stamp.Sentence{Text: l.label + "：" + l.value + "。"})
	}
	sheet := stamp.Sheet{
		Language: "zh-CN", Issuer: rec.Responsible, Title: heading(rec, c), Number: rec.RefCode.Original,
		Body:     []stamp.Paragraph{facts, {{Text: strings.Join(c.Sentences(rec), "")}}},
		SignedBy: rec.Responsible, Date: rec.Date.Chinese(), Labels: stamp.Chinese(),
	}
	sheet.Labels.Number, sheet.Labels.Body = "档号：", "登记内容"
	for _, person := range rec.Persons {
		r := stamp.Row{{Label: c.RoleLabel(person.Role).ZH, Value: describe(person)}}
		if !person.ID.IsZero() {
			r = append(r, stamp.Field{Label: "证件号码", Value: person.ID.Original})
		}
		sheet.Rows = append(sheet.Rows, r)
	}
	pdf, err := p.typist.Draw(sheet)
	if err != nil {
		return nil, fmt.Errorf("typed page: %w", err)
	}
	return []File{{"申请书.pdf", "application/pdf", pdf}}, nil
}
