package archive

import "slices"

// Role is what an account may be; policy says what each may do.
type Role string

// Staff roles act within their office; system is the service itself. The system
// administrator, the security administrator and the auditor are the three separated
// administrators (三员分立): they see no record, and nobody holds two of them.
const (
	RoleUploader  Role = "uploader"
	RoleReviewer  Role = "reviewer"
	RoleApprover  Role = "approver"
	RoleHead      Role = "head" // of an office
	RoleAdmin     Role = "system_admin"
	RoleSecurity  Role = "security_admin"
	RoleAuditor   Role = "auditor"
	RoleCitizen   Role = "citizen"
	RoleAgency    Role = "agency"
	RoleSystem    Role = "system"
	RoleAnonymous Role = "anonymous"
)

// Assurance is how well the person behind an account is known.
type Assurance string

// A citizen below real-name level goes through the counter.
const (
	Unverified Assurance = "unverified"
	RealName   Assurance = "real_name"
	Counter    Assurance = "counter"
)

// Actor is who asks. Person is the keyed hash of the verified id number; the
// number itself is not carried around.
type Actor struct {
	ID        string
	Role      Role
	Office    string // of staff; empty for others
	Name      string // verified name; must not be logged
	Person    string
	Relatives []string // declared, as Person
	Assurance Assurance
	Grant     Grant  // of an agency's key
	Quota     int    // questions a day; 0: no limit
	Session   string // id of the session it came with; empty with a token
}

// Staff reports whether the actor works for an archive office.
func (a Actor) Staff() bool { return a.Role.Staff() }

// Staff reports whether the role is one of an archive office.
func (r Role) Staff() bool {
	switch r {
	case RoleUploader, RoleReviewer, RoleApprover, RoleHead:
		return true
	}
	return r.Administers()
}

// Administers reports whether the role is one of the three administrators.
func (r Role) Administers() bool { return r == RoleAdmin || r == RoleSecurity || r == RoleAuditor }

// Concerned are the tokens of the people whose matters the actor must not handle
// (回避): the actor and the declared relatives.
func (a Actor) Concerned() []string {
	list := slices.Clone(a.Relatives)
	if a.Person != "" {
		list = append(list, a.Person)
	}
	return list
}

// Grant is what the key of an agency may be used for; an empty list narrows
// nothing.
type Grant struct {
	Questions  []string      `json:"questions,omitempty"`
	Categories []string      `json:"categories,omitempty"`
	Purposes   []PurposeCode `json:"purposes,omitempty"`
}

// Problems lists what the question asks that the key is not for.
func (g Grant) Problems(q Question) Problems {
	var ps Problems
	within := func(list []string, value, field string) {
		if len(list) > 0 && !slices.Contains(list, value) {
			ps.Add("not_granted", field)
		}
	}
	within(g.Questions, q.Kind, "question")
	within(g.Categories, q.Category, "category")
	if len(g.Purposes) > 0 && !slices.Contains(g.Purposes, q.Purpose.Code) {
		ps.Add("not_granted", "purpose.code")
	}
	return ps
}

// Office is an archive office (档案馆) as certificates and lists name it.
type Office struct {
	ID         string   `json:"id"`
	Name       Label    `json:"name"`
	Short      string   `json:"short"` // the word in its certificate numbers: 青民档证
	Fonds      []string `json:"fonds"` // 全宗号 it holds
	SealNumber string   `json:"seal_number"`
	Phone      string   `json:"phone,omitempty"`
	// AppendCopies lets certified copies keep the bytes of an original that is
	// handed out whole; the purpose is then not burnt into its pages.
	AppendCopies bool `json:"append_copies,omitempty"`
}
