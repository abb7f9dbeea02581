package archive

import (
	"slices"
	"strings"
	"time"
)

// Account is the body of an account chain. A person of staff has at most one.
type Account struct {
	ID        string     `json:"id"`
	User      string     `json:"user"`
	Name      string     `json:"name"`
	Role      Role       `json:"role,omitempty"` // empty until it is confirmed
	Office    string     `json:"office,omitempty"`
	IDNumber  IDNumber   `json:"id_number,omitzero"`
	Bound     bool       `json:"bound,omitempty"`     // it is marked as on its List, and of staff holds ClaimStaff
	Relatives []IDNumber `json:"relatives,omitempty"` // declared by staff, whose matters they avoid (回避)
	Assurance Assurance  `json:"assurance,omitempty"`
	Password  string     `json:"password,omitempty"` // argon2id, PHC string; none: no sign-in
	Token     string     `json:"token,omitempty"`    // SHA-256 of the bearer token, hex
	Second    Second     `json:"second,omitzero"`
	Keys      []Key      `json:"keys,omitempty"`  // of an agency
	Quota     int        `json:"quota,omitempty"` // questions of an agency a day; 0: no limit
	Proposed  Post       `json:"proposed,omitzero"`
	Disabled  bool       `json:"disabled,omitempty"`
	Created   time.Time  `json:"created"`
	By        string     `json:"by,omitempty"` // account that wrote this entry; empty: made by setup
}

// Post is a role in an office, waiting for the other administrator to confirm it.
type Post struct {
	Role   Role   `json:"role"`
	Office string `json:"office,omitempty"`
	By     string `json:"by"` // who proposed it
}

// Second is the second factor of a sign-in: time-based codes (RFC 6238), and codes
// for when the device is lost, each good once.
type Second struct {
	Secret   string   `json:"secret,omitempty"`   // base32, as authenticators take it
	Recovery []string `json:"recovery,omitempty"` // SHA-256 in hex
	// Pending is a secret that was shown and not yet proved to be in a device.
	Pending string `json:"pending,omitempty"`
	Active  bool   `json:"active,omitempty"` // in what is shown, in place of the rest
}

// RelativeProblems lists the numbers that nobody can be known by.
func RelativeProblems(relatives []IDNumber) Problems {
	var ps Problems
	for i, r := range relatives {
		if r.IsZero() || r.Flagged {
			ps.Add("bad_id_number", index("relatives", i))
		}
	}
	return ps
}

// Key is a credential of an agency. The secret is shown once and kept as its hash.
type Key struct {
	ID      string    `json:"id"`
	Label   string    `json:"label,omitempty"`
	Hash    string    `json:"hash,omitempty"` // SHA-256 in hex
	Grant   Grant     `json:"grant,omitzero"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
	Revoked time.Time `json:"revoked,omitzero"`
}

// Good reports whether the key may be used at a time.
func (k Key) Good(now time.Time) bool { return k.Revoked.IsZero() && now.Before(k.Expires) }

// Problems lists what is wrong with a key that is asked for.
func (k Key) Problems() Problems {
	var ps Problems
	checkText(&ps, k.Label, 100, "label")
	for i, p := range k.Grant.Purposes {
		if !(Purpose{Code: p}).Valid() {
			ps.Add("unknown_value", index("grant.purposes", i))
		}
	}
	return ps
}

// Ruling is what the security administrator decides about an account.
type Ruling struct {
	Step      RulingStep `json:"step"`
	Relatives []IDNumber `json:"relatives,omitempty"` // with RuleRelatives: all of them
}

// RulingStep is the kind of a ruling.
type RulingStep string

// The rulings about an account.
const (
	RuleConfirm   RulingStep = "confirm" // the post that was proposed
	RuleReject    RulingStep = "reject"
	RuleLock      RulingStep = "lock"
	RuleUnlock    RulingStep = "unlock"
	RuleEnd       RulingStep = "end_sessions"
	RuleSecond    RulingStep = "drop_second_factor" // whose device and codes are lost
	RuleRelatives RulingStep = "relatives"
)

// Session is one signing-in that has not ended. It is kept outside the chain,
// where it can be ended at once.
type Session struct {
	ID     string    `json:"id"`
	Hash   string    `json:"hash,omitempty"` // SHA-256 in hex of the cookie's secret
	Opened time.Time `json:"opened"`
	Ends   time.Time `json:"ends"`
	From   string    `json:"from,omitempty"`   // network address
	Device string    `json:"device,omitempty"` // what the browser calls itself
}

// Lists of accounts, as they are marked (MarkAccount). Those of citizens are on none.
const (
	ListStaff  = "staff"
	ListAgency = "agency"
)

// List is the list that the account is on, by its role or the one proposed first.
func (a Account) List() string {
	role := a.Role
	if role == "" {
		role = a.Proposed.Role
	}
	switch {
	case role.Staff():
		return ListStaff
	case role == RoleAgency:
		return ListAgency
	}
	return ""
}

// Ref names the chain of the account.
func (a Account) Ref() Ref { return Ref{Kind: KindAccount, ID: a.ID} }

// Actor is the account at work. person turns an id number into the keyed hash that
// stands for it.
func (a Account) Actor(person func(IDNumber) string) Actor {
	actor := Actor{ID: a.ID, Role: a.Role, Office: a.Office, Name: a.Name, Assurance: a.Assurance, Quota: a.Quota}
	if !a.IDNumber.IsZero() {
		actor.Person = person(a.IDNumber)
	}
	for _, r := range a.Relatives {
		actor.Relatives = append(actor.Relatives, person(r))
	}
	return actor
}

// Public returns a copy without any secret and with shortened id numbers: what
// administrators and the account itself see.
func (a Account) Public() Account {
	a.Password, a.Token = "", ""
	a.Second = Second{Active: a.Second.Secret != ""}
	a.IDNumber = a.IDNumber.short()
	a.Relatives = slices.Clone(a.Relatives)
	for i, r := range a.Relatives {
		a.Relatives[i] = r.short()
	}
	a.Keys = slices.Clone(a.Keys)
	for i := range a.Keys {
		a.Keys[i].Hash = ""
	}
	return a
}

// Problems lists what is wrong with a new account, or with a post for it.
func (a Account) Problems() Problems {
	var ps Problems
	if len(a.User) < 2 || len(a.User) > 64 || strings.Trim(a.User, "abcdefghijklmnopqrstuvwxyz0123456789._-") != "" {
		ps.Add("bad_user_name", "user")
	}
	if strings.TrimSpace(a.Name) == "" {
		ps.Add("required", "name")
	}
	checkText(&ps, a.Name, 100, "name")
	switch {
	case a.Role.Staff() && a.IDNumber.IsZero():
		ps.Add("required", "id_number")
	case a.IDNumber.Flagged:
		ps.Add("bad_id_number", "id_number")
	}
	if a.Role.Staff() && a.Office == "" {
		ps.Add("required", "office")
	}
	if a.Quota < 0 {
		ps.Add("out_of_range", "quota")
	}
	return ps
}
