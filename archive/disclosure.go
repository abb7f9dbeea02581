package archive

import "time"

// Action is one thing an actor may want to do. Every operation of the API names
// exactly one, and policy has a row for each.
type Action string

// The actions of the service.
const (
	ActDeposit      Action = "record.deposit"
	ActDescribe     Action = "record.describe"
	ActSearch       Action = "record.search"
	ActRead         Action = "record.read"
	ActFile         Action = "record.file"
	ActSubmit       Action = "request.submit"
	ActReadRequest  Action = "request.read"
	ActListRequests Action = "request.list"
	ActWithdraw     Action = "request.withdraw"
	ActSupplement   Action = "request.supplement"
	ActReview       Action = "request.review"
	ActApprove      Action = "request.approve"
	ActCertificate  Action = "certificate.read"
	ActReseal       Action = "certificate.reseal"
	ActRevoke       Action = "certificate.revoke"
	ActLookup       Action = "lookup.ask"
	ActAccesses     Action = "access.list"
	// ActTemplates is to look at templates and to try them, ActWriteTemplate to
	// put a new version in their place.
	ActTemplates     Action = "template.read"
	ActWriteTemplate Action = "template.write"
	ActVerify        Action = "certificate.verify"
	ActPublic        Action = "public"
	ActReveal        Action = "record.reveal"
	ActOwnAccesses   Action = "access.own"      // who saw my records
	ActSealCase      Action = "access.seal"     // an inquiry of which nobody may be warned
	ActAccounts      Action = "account.list"    // without secrets
	ActPropose       Action = "account.propose" // make one, or propose a post
	ActConfirm       Action = "account.confirm" // a post, a lock, the end of sessions, relatives
	ActKeys          Action = "account.keys"    // of agencies
	ActEnrol         Action = "account.enrol"   // a citizen at the counter
	ActSelf          Action = "account.self"    // password, second factor, sessions
)

// Target is what policy needs to know of the thing acted on. Zero fields mean
// "not applicable".
type Target struct {
	Ref       Ref
	Office    string
	Family    Family
	Category  string
	Openness  Openness
	Applicant string // account that made the request
	Subjects  []string
}

// PurposeCode says why somebody looks (利用目的). It is required where policy
// says so, and always written into the access entry.
type PurposeCode string

// Purposes staff and agencies may give.
const (
	ForArrangement  PurposeCode = "arrangement"  // 整理著录
	ForRequest      PurposeCode = "request"      // 办理查档申请
	ForConsultation PurposeCode = "consultation" // 查阅利用
	ForPension      PurposeCode = "pension"      // 社保待遇核查
	ForVetting      PurposeCode = "vetting"      // 政审考察
	ForJustice      PurposeCode = "justice"      // 司法办案
	ForAudit        PurposeCode = "audit"        // 审计
)

// Purposes lists the codes with their labels.
func Purposes() []Choice {
	return []Choice{
		{string(ForArrangement), Label{"整理著录", "Arrangement and description"}},
		{string(ForRequest), Label{"办理查档申请", "Handling a request"}},
		{string(ForConsultation), Label{"查阅利用", "Consultation"}},
		{string(ForPension), Label{"社保待遇核查", "Social insurance check"}},
		{string(ForVetting), Label{"政审考察", "Vetting"}},
		{string(ForJustice), Label{"司法办案", "Court or police case"}},
		{string(ForAudit), Label{"审计", "Audit"}},
	}
}

// Purpose is a purpose with the case it serves.
type Purpose struct {
	Code PurposeCode `json:"code"`
	Case string      `json:"case,omitempty"` // request or case number
}

// Valid reports whether the code is a known one and the case number is short
// and plain.
func (p Purpose) Valid() bool {
	for _, c := range Purposes() {
		if c.Code == string(p.Code) {
			var ps Problems
			checkText(&ps, p.Case, 64, "case")
			return len(ps) == 0
		}
	}
	return false
}

// Mask names a part of a record that an actor does not see in full.
type Mask string

// MaskIDs shortens id numbers; MaskNames shortens names to the first character.
const (
	MaskIDs   Mask = "id_numbers"
	MaskNames Mask = "names"
)

// Decision is policy's answer.
type Decision struct {
	Allowed bool
	Purpose bool // a purpose must be given
	Case    bool // with a case number
	Trace   bool // an access entry must be durable before the answer leaves
	Masks   []Mask
	Receipt string // id of the access entry, when one was written
}

// Disclosure is a request to release content: who, what, to which end.
type Disclosure struct {
	Actor   Actor
	Action  Action
	Target  Target
	Purpose Purpose
	Detail  string   // which part: "file 1", "page 3"
	Also    []string // further records released together, such as the hits of a search
}

// Seen is an access as the person it was about may know of it: nothing of it is about
// anybody else.
type Seen struct {
	At       time.Time   `json:"at"`
	Action   Action      `json:"action"`
	Record   string      `json:"record"`
	Category string      `json:"category"`
	Role     Role        `json:"role"`
	Office   string      `json:"office,omitempty"` // of staff
	Agency   string      `json:"agency,omitempty"` // its name
	Purpose  PurposeCode `json:"purpose,omitempty"`
}

// Access is the trace of a disclosure: it is durable before the first byte leaves.
type Access struct {
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	Actor   string    `json:"actor"`
	Role    Role      `json:"role"`
	Office  string    `json:"office,omitempty"`
	Action  Action    `json:"action"`
	Ref     Ref       `json:"ref"`
	Also    []string  `json:"also,omitempty"`
	Detail  string    `json:"detail,omitempty"`
	Purpose Purpose   `json:"purpose,omitzero"`
}
