package archive

import (
	"io"
	"slices"
	"strings"
	"time"
)

// Level is the level of description (著录层级, DA/T 18-2022; ISAD(G) 3.1.4).
type Level string

// From the whole down to the single document.
const (
	LevelFonds Level = "fonds" // 全宗
	LevelClass Level = "class" // 类别
	LevelFile  Level = "file"  // 案卷
	LevelItem  Level = "item"  // 件
)

// Record is the description of one unit of archives with the files that belong
// to it. It is the body of a record chain; each change is a new entry.
type Record struct {
	ID          string            `json:"id"`
	Level       Level             `json:"level"`
	Parent      string            `json:"parent,omitempty"` // id of the unit above
	Family      Family            `json:"family"`
	Category    string            `json:"category"`
	Office      string            `json:"office"` // id of the holding office
	Fonds       string            `json:"fonds"`  // 全宗号
	RefCode     RefCode           `json:"reference_code"`
	Title       string            `json:"title"`
	Responsible string            `json:"responsible"` // 责任者
	Date        Date              `json:"date"`        // of formation
	Persons     []Person          `json:"persons,omitempty"`
	Retention   Retention         `json:"retention"`
	Secrecy     Secrecy           `json:"secrecy,omitempty"`
	Openness    Openness          `json:"openness"`
	Fields      map[string]string `json:"fields,omitempty"` // by the category's schema
	Note        string            `json:"note,omitempty"`
	Files       []File            `json:"files,omitempty"`
	By          string            `json:"by"` // account that wrote this entry
	At          time.Time         `json:"deposited"`
}

// File is one file of a record, as it was uploaded.
type File struct {
	Name      string `json:"name"`
	MediaType string `json:"media_type"` // as declared; the reader decides what it is
	Blob
}

// Blobs are the bytes of its files.
func (r Record) Blobs() []Blob {
	blobs := make([]Blob, len(r.Files))
	for i, f := range r.Files {
		blobs[i] = f.Blob
	}
	return blobs
}

// Upload is a file on its way in.
type Upload struct {
	Name      string
	MediaType string
	Body      io.Reader
}

// Complete fills what a depositor may leave out: identifiers in their normal
// form, openness (not reviewed = closed), fonds from the reference code, and the
// family and usual term of the category.
func (r Record) Complete(s Schema) Record {
	if r.Openness == "" {
		r.Openness = NotReviewed
	}
	if r.Level == "" {
		r.Level = LevelItem
	}
	if r.Fonds == "" {
		r.Fonds = r.RefCode.Fonds
	}
	if c, ok := s.Category(r.Category); ok {
		if r.Family == "" {
			r.Family = c.Family
		}
		if r.Retention == "" {
			r.Retention = Retention(c.Retention)
		}
	}
	if sec, ok := ParseSecrecy(string(r.Secrecy)); ok {
		r.Secrecy = sec
	}
	r.Persons = slices.Clone(r.Persons)
	for i, p := range r.Persons {
		r.Persons[i].Name = strings.TrimSpace(p.Name)
		r.Persons[i].ID = NewIDNumber(p.ID.Type, p.ID.Original)
	}
	return r
}

// Problems lists everything wrong with a completed description.
func (r Record) Problems(s Schema) Problems {
	var ps Problems
	r.checkPlace(&ps)
	r.checkTexts(&ps)
	r.checkRights(&ps)
	c, ok := s.Category(r.Category)
	switch {
	case r.Category == "":
		ps.Add("required", "category")
	case !ok:
		ps.Add("unknown_category", "category")
	}
	if !ok {
		return ps
	}
	if r.Family != c.Family {
		ps.Add("family_mismatch", "family")
	}
	if r.Level == LevelItem && len(r.Persons) == 0 {
		ps.Add("required", "persons")
	}
	for i, p := range r.Persons {
		ps = append(ps, p.problems(c, index("persons", i))...)
	}
	return append(ps, c.problems(r.Fields)...)
}

func (r Record) checkPlace(ps *Problems) {
	if !slices.Contains([]Level{LevelFonds, LevelClass, LevelFile, LevelItem}, r.Level) {
		ps.Add("unknown_value", "level")
	}
	if r.Parent != "" && !ValidID(r.Parent) {
		ps.Add("bad_id", "parent")
	}
	if r.Office == "" {
		ps.Add("required", "office")
	}
	switch {
	case r.RefCode.IsZero():
		ps.Add("required", "reference_code")
	case r.RefCode.Bad():
		ps.Add("bad_reference_code", "reference_code")
	case r.Fonds != r.RefCode.Fonds:
		ps.Add("fonds_mismatch", "fonds")
	}
}

func (r Record) checkTexts(ps *Problems) {
	required := func(value, field string) {
		if strings.TrimSpace(value) == "" {
			ps.Add("required", field)
		}
	}
	required(r.Title, "title")
	checkText(ps, r.Title, 500, "title")
	required(r.Responsible, "responsible")
	checkText(ps, r.Responsible, 200, "responsible")
	checkText(ps, r.Note, 2000, "note")
	switch {
	case r.Date.Bad():
		ps.Add("bad_date", "date")
	case r.Date.IsZero():
		ps.Add("required", "date")
	}
}

func (r Record) checkRights(ps *Problems) {
	if !r.Retention.Valid() {
		ps.Add("bad_retention", "retention")
	}
	if !r.Openness.Valid() {
		ps.Add("unknown_value", "openness")
	}
	secrecy, ok := ParseSecrecy(string(r.Secrecy))
	switch {
	case !ok:
		ps.Add("unknown_value", "secrecy")
	case secrecy.StateSecret():
		ps.Add("state_secret_refused", "secrecy")
	}
}

// Ref names the chain of the record.
func (r Record) Ref() Ref { return Ref{Kind: KindRecord, ID: r.ID} }

// Target is what policy needs to know of the record.
func (r Record) Target() Target {
	return Target{Ref: r.Ref(), Office: r.Office, Family: r.Family, Category: r.Category, Openness: r.Openness}
}

// RecordView is a record as one actor may see it: the entry's number, masked
// fields named, and each file with its state.
type RecordView struct {
	Record
	Version int         `json:"version"`
	States  []FileState `json:"states"`
	Masked  []Mask      `json:"masked,omitempty"`
}
