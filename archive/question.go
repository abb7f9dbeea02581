package archive

import (
	"slices"
	"time"
)

// Question is what an agency asks about a person.
type Question struct {
	Kind     string  `json:"question"` // code of a QuestionKind
	Person   Person  `json:"person"`
	Category string  `json:"category,omitempty"` // narrows the records that answer; some kinds need it
	Purpose  Purpose `json:"purpose"`
	// Digest is that of the question as the agency sent it, for its receipt; empty where
	// it was asked otherwise, and then made from the question.
	Digest string `json:"-"`
}

// RecordExists asks whether a record of a category about a person is held.
const RecordExists = "record_exists"

// QuestionKind is a question that agencies may ask. What is asked for varies from
// place to place, so kinds are data: which records answer, to which end it may be
// asked, and which fields are then shown. Which agency may ask is in its key (Grant).
type QuestionKind struct {
	Code        string        `json:"code"`
	Label       Label         `json:"label"`
	Purposes    []PurposeCode `json:"purposes"`
	OneCategory bool          `json:"one_category,omitempty"` // the question must name one of its sources
	Latest      bool          `json:"latest,omitempty"`       // records that another is certainly later than do not answer
	Once        bool          `json:"once,omitempty"`         // a record of each office is enough, and others are not told
	Sources     []Source      `json:"sources"`
}

// Source is a category of records that answer a question.
type Source struct {
	Category string   `json:"category"`
	Roles    []string `json:"roles,omitempty"` // of the person; none: any but those of officials
	// From and To are the fields with the ends of a period that Answer.Months counts.
	From  string  `json:"from,omitempty"`
	To    string  `json:"to,omitempty"`
	Shows []Shown `json:"shows,omitempty"`
}

// Shown is the fields that an answer shows for some purposes. What is not named is
// not shown.
type Shown struct {
	Purposes []PurposeCode `json:"purposes"`
	Fields   []string      `json:"fields"`
}

// Question finds a kind of question by its code.
func (s Schema) Question(code string) (QuestionKind, bool) {
	for _, k := range s.Questions {
		if k.Code == code {
			return k, true
		}
	}
	return QuestionKind{}, false
}

// Narrowed is the sources of a category, or all when it is empty.
func (k QuestionKind) Narrowed(category string) []Source {
	if category == "" {
		return k.Sources
	}
	return slices.DeleteFunc(slices.Clone(k.Sources), func(s Source) bool { return s.Category != category })
}

// Fields is what an answer for a purpose shows of a record.
func (s Source) Fields(p PurposeCode) []string {
	var fields []string
	for _, shown := range s.Shows {
		if slices.Contains(shown.Purposes, p) {
			fields = append(fields, shown.Fields...)
		}
	}
	return fields
}

// Answer is what an agency may see of the answer. That nothing is found says only
// that nothing is held here under the number.
type Answer struct {
	Exists  bool     `json:"exists"`
	Years   []int    `json:"years,omitempty"`
	Offices []string `json:"offices,omitempty"`
	Found   []Cited  `json:"found,omitempty"`
	// Months is how many calendar months the recorded periods cover, each counted once.
	// A period whose ends are not both given to the month counts nothing.
	Months  int       `json:"months,omitempty"`
	Receipt string    `json:"receipt"` // id of the access entry
	At      time.Time `json:"at"`
	Signed  string    `json:"signed,omitempty"` // the Receipt of all the rest
}

// Cited is a record that bears an answer out: where it is, which entry of it was
// read, and the fields that may be shown.
type Cited struct {
	Category string            `json:"category"`
	Office   string            `json:"office"`
	RefCode  string            `json:"reference_code"`
	Entry    int               `json:"entry"`
	Date     Date              `json:"date"`
	Fields   map[string]string `json:"fields,omitempty"`
}
