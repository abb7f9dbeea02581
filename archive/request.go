package archive

import (
	"strings"
	"time"
)

// RequestState is where a request stands at the desk (查档申请).
type RequestState string

// submitted → matched → reviewed → approved → issued is the straight way; every
// other state says why it was left.
const (
	Submitted    RequestState = "submitted"
	Supplement   RequestState = "supplement_requested"
	Matched      RequestState = "matched"
	Reviewed     RequestState = "reviewed"
	Approved     RequestState = "approved" // sealing follows
	Issued       RequestState = "issued"
	Refused      RequestState = "refused"
	NotFound     RequestState = "not_found" // 查无此档
	Withdrawn    RequestState = "withdrawn"
	ReviewedNone RequestState = "reviewed_not_found" // not found, awaiting approval
)

// Closed reports whether nothing more will happen to the request.
func (s RequestState) Closed() bool {
	return s == Issued || s == Refused || s == NotFound || s == Withdrawn
}

// Wanted describes the record a citizen looks for, as they remember it.
type Wanted struct {
	Category string   `json:"category"`
	Persons  []Person `json:"persons"` // ID numbers optional
	YearFrom int      `json:"year_from,omitempty"`
	YearTo   int      `json:"year_to,omitempty"`
	Place    string   `json:"place,omitempty"` // work unit, registry, district
}

// Request is the body of a request chain.
type Request struct {
	ID        string       `json:"id"`
	Office    string       `json:"office"`
	Applicant string       `json:"applicant"` // account
	Name      string       `json:"name"`      // of the applicant, as verified
	IDNumber  IDNumber     `json:"id_number,omitzero"`
	Wanted    Wanted       `json:"wanted"`
	Purpose   string       `json:"purpose"` // printed on the certificate: 办理公积金贷款
	Language  string       `json:"language,omitempty"`
	Service   Service      `json:"service,omitempty"`
	State     RequestState `json:"state"`
	Record    string       `json:"record,omitempty"`
	// RecordVersion is the entry of the record that was reviewed: what is
	// approved and certified is what the reviewer saw.
	RecordVersion int       `json:"record_version,omitempty"`
	Sources       []PageRef `json:"sources,omitempty"` // one per sentence in order, the last for the rest
	Copy          *Copy     `json:"copy,omitempty"`    // the pages chosen, where copies are asked for
	Matcher       string    `json:"matcher,omitempty"`
	Reviewer      string    `json:"reviewer,omitempty"`
	Approver      string    `json:"approver,omitempty"`
	Reason        string    `json:"reason,omitempty"` // for supplement, refusal, not found
	Certificate   string    `json:"certificate,omitempty"`
	Searched      []Search  `json:"searched,omitempty"` // where it was sought, when nothing was found
	Events        []Event   `json:"events"`
}

// Search is one search for the wanted record: where, and under what.
type Search struct {
	At       time.Time `json:"at"`
	Place    string    `json:"place"` // 机读目录, or what a clerk names
	Fonds    []string  `json:"fonds,omitempty"`
	YearFrom int       `json:"year_from,omitempty"`
	YearTo   int       `json:"year_to,omitempty"`
	Names    []string  `json:"names,omitempty"`
	ByID     bool      `json:"by_id,omitempty"` // under id numbers too
}

// PageRef is a page of a file of a record; both count from 1.
type PageRef struct {
	File int `json:"file"`
	Page int `json:"page"`
}

// Event is one step in the history of a request.
type Event struct {
	At    time.Time    `json:"at"`
	Actor string       `json:"actor"`
	Step  Step         `json:"step"`
	State RequestState `json:"state"` // after the step
	Note  string       `json:"note,omitempty"`
}

// Step is what somebody does to a request.
type Step string

// The steps of the desk.
const (
	StepSubmit     Step = "submit"
	StepMatch      Step = "match"
	StepUnmatch    Step = "unmatch"
	StepAsk        Step = "ask_supplement"
	StepSupplement Step = "supplement"
	StepChoose     Step = "choose_pages"
	StepReview     Step = "review"
	StepNotFound   Step = "not_found"
	StepReject     Step = "reject"
	StepReturn     Step = "return"
	StepApprove    Step = "approve"
	StepWithdraw   Step = "withdraw"
	StepIssue      Step = "issue"
)

// Move is a step with what it needs: the record and pages for a match, a note
// or reason for most others.
type Move struct {
	Step    Step      `json:"step"`
	Record  string    `json:"record,omitempty"`
	Sources []PageRef `json:"sources,omitempty"`
	// Pages are those to copy, with a choice or a review.
	Pages []CopyPage `json:"pages,omitempty"`
	// Searched is where it was sought besides, such as registers on paper, when
	// nothing is found.
	Searched []Search `json:"searched,omitempty"`
	Note     string   `json:"note,omitempty"`
	Wanted   *Wanted  `json:"wanted,omitempty"` // with a supplement
}

// Problems lists what is wrong with a submission.
func (r Request) Problems(s Schema) Problems {
	var ps Problems
	if r.Office == "" {
		ps.Add("required", "office")
	}
	if strings.TrimSpace(r.Purpose) == "" {
		ps.Add("required", "purpose")
	}
	checkText(&ps, r.Purpose, 100, "purpose")
	if !r.Service.Valid() {
		ps.Add("unknown_value", "service")
	}
	switch c, ok := s.Category(r.Wanted.Category); {
	case ok && c.Family == Personnel && r.Service.Family() != Personnel:
		ps.Add("personnel_not_requestable", "wanted.category")
	case ok && c.Family != r.Service.Family():
		ps.Add("family_mismatch", "service")
	}
	return append(ps, r.Wanted.Problems(s).In("wanted")...)
}

// Problems lists what is wrong with a description of the wanted record.
func (w Wanted) Problems(s Schema) Problems {
	var ps Problems
	c, ok := s.Category(w.Category)
	if !ok {
		ps.Add("unknown_category", "category")
	}
	if len(w.Persons) == 0 {
		ps.Add("required", "persons")
	}
	for i, p := range w.Persons {
		ps = append(ps, p.problems(c, index("persons", i))...)
	}
	if w.YearFrom != 0 && w.YearTo != 0 && w.YearFrom > w.YearTo {
		ps.Add("bad_range", "year_to")
	}
	checkText(&ps, w.Place, 200, "place")
	return ps
}

// Ref names the chain of the request.
func (r Request) Ref() Ref { return Ref{Kind: KindRequest, ID: r.ID} }

// Target is what policy needs to know of the request.
func (r Request) Target() Target {
	return Target{Ref: r.Ref(), Office: r.Office, Category: r.Wanted.Category, Applicant: r.Applicant}
}

// Candidate is a record that may be the wanted one, with the reasons a person
// needs to decide.
type Candidate struct {
	Record  string   `json:"record"`
	Title   string   `json:"title"`
	RefCode string   `json:"reference_code"`
	Date    string   `json:"date"`
	Names   []string `json:"names"`
	Score   float64  `json:"score"`   // 0 to 1
	Reasons []string `json:"reasons"` // codes: name_same, name_pinyin, name_former, id_same, year_near …
}

// RequestFilter selects requests of a list; empty fields do not narrow it.
type RequestFilter struct {
	State  RequestState
	Before string // id; the list goes on with older ones
	Limit  int
}
