package archive

import "time"

// Role is what an account may be; policy says what each may do.
type Role string

// Staff roles act within their office; system is the service itself.
const (
	RoleUploader  Role = "uploader"
	RoleReviewer  Role = "reviewer"
	RoleApprover  Role = "approver"
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
	Assurance Assurance
}

// Staff reports whether the actor works for an archive office.
func (a Actor) Staff() bool {
	switch a.Role {
	case RoleUploader, RoleReviewer, RoleApprover, RoleAuditor:
		return true
	}
	return false
}

// Account is the body of an account chain.
type Account struct {
	ID        string    `json:"id"`
	User      string    `json:"user"`
	Name      string    `json:"name"`
	Role      Role      `json:"role"`
	Office    string    `json:"office,omitempty"`
	IDNumber  IDNumber  `json:"id_number,omitzero"`
	Assurance Assurance `json:"assurance,omitempty"`
	Password  string    `json:"password"`        // argon2id, PHC string
	Token     string    `json:"token,omitempty"` // SHA-256 of the bearer token, hex
	Disabled  bool      `json:"disabled,omitempty"`
	Created   time.Time `json:"created"`
}

// Actor is the account at work. person is the keyed hash of its id number.
func (a Account) Actor(person string) Actor {
	return Actor{ID: a.ID, Role: a.Role, Office: a.Office, Name: a.Name, Person: person, Assurance: a.Assurance}
}

// Office is an archive office (档案馆) as certificates and lists name it.
type Office struct {
	ID         string   `json:"id"`
	Name       Label    `json:"name"`
	Short      string   `json:"short"` // the word in its certificate numbers: 青民档证
	Fonds      []string `json:"fonds"` // 全宗号 it holds
	SealNumber string   `json:"seal_number"`
	Phone      string   `json:"phone,omitempty"`
}
