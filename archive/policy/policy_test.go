package policy_test

import (
	"bytes"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
	"dangan/archive/policy"
)

var update = flag.Bool("update", false, "rewrite docs/policy.md")

// TestPage: what is written about the rights is what decides about them.
func TestPage(t *testing.T) {
	const page = "../../docs/policy.md"
	var printed bytes.Buffer
	if err := policy.Print(&printed); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(page, printed.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(printed.String(), string(written)); diff != "" {
		t.Errorf("run go test ./archive/policy -update:\n%s", diff)
	}
}

// actions reads the constants of type Action from the source, so that a new one
// cannot be forgotten here.
func actions(t *testing.T) []archive.Action {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "../disclosure.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var list []archive.Action
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == "Action" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, archive.Action(text))
		}
		return true
	})
	if len(list) < 19 {
		t.Fatalf("read only %d actions", len(list))
	}
	return list
}

func TestEveryActionHasARow(t *testing.T) {
	for _, act := range actions(t) {
		if !policy.Known(act) {
			t.Errorf("nobody may ever do %s", act)
		}
	}
	if policy.Known("record.burn") {
		t.Error("an unknown action is known")
	}
}

// TestMatrix is the table seen from the other side: the letters say who may do
// an action to a target of the actor's own office or of another office.
func TestMatrix(t *testing.T) {
	roles := map[byte]archive.Role{
		'u': archive.RoleUploader, 'r': archive.RoleReviewer, 'a': archive.RoleApprover, 'h': archive.RoleHead,
		'd': archive.RoleAuditor, 'm': archive.RoleAdmin, 'x': archive.RoleSecurity,
		'c': archive.RoleCitizen, 'g': archive.RoleAgency, 's': archive.RoleSystem, '-': archive.RoleAnonymous,
	}
	target := func(office string, f archive.Family, o archive.Openness) archive.Target {
		return archive.Target{Office: office, Family: f, Openness: o, Applicant: "me", Subjects: []string{"someone"}}
	}
	targets := map[string]archive.Target{
		"own closed":       target("qc", archive.Livelihood, archive.NotReviewed),
		"own personnel":    target("qc", archive.Personnel, archive.Controlled),
		"other closed":     target("zz", archive.Livelihood, archive.Controlled),
		"other open":       target("zz", archive.Livelihood, archive.Open),
		"other open staff": target("zz", archive.Personnel, archive.Open),
		"nobody's":         {},
	}
	tests := []struct {
		act    archive.Action
		target string
		who    string
	}{
		{archive.ActDeposit, "own closed", "urah"},
		{archive.ActDeposit, "other open", ""},
		{archive.ActDescribe, "own personnel", "urah"},
		{archive.ActDescribe, "other open", ""},
		{archive.ActSearch, "nobody's", "urah"},
		{archive.ActRead, "own closed", "urahs"},
		{archive.ActRead, "own personnel", "urahs"},
		{archive.ActRead, "other closed", "s"},
		{archive.ActRead, "other open", "urahs"},
		{archive.ActRead, "other open staff", "s"},
		{archive.ActRead, "nobody's", ""},
		{archive.ActFile, "own closed", "urahs"},
		{archive.ActFile, "other open", "urahs"},
		{archive.ActFile, "other closed", "s"},
		{archive.ActSubmit, "other closed", "c"},
		{archive.ActReadRequest, "own closed", "urahcs"},
		{archive.ActReadRequest, "other closed", "cs"},
		{archive.ActReadRequest, "nobody's", "s"},
		{archive.ActListRequests, "own closed", "urahc"},
		{archive.ActWithdraw, "other closed", "c"},
		{archive.ActSupplement, "nobody's", ""},
		{archive.ActReview, "own closed", "rah"},
		{archive.ActReview, "other closed", ""},
		{archive.ActApprove, "own closed", "ah"},
		{archive.ActApprove, "other closed", ""},
		{archive.ActCertificate, "own closed", "urahcs"},
		{archive.ActCertificate, "other closed", "cs"},
		{archive.ActReseal, "own closed", "ahs"},
		{archive.ActRevoke, "own closed", "ah"},
		{archive.ActRevoke, "other closed", ""},
		{archive.ActLookup, "nobody's", "g"},
		{archive.ActAccesses, "nobody's", "d"},
		{archive.ActVerify, "nobody's", "urahdmxcgs-"},
		{archive.ActPublic, "nobody's", "urahdmxcgs-"},
		{archive.ActReveal, "own personnel", "urah"},
		{archive.ActReveal, "other open", ""},
		{archive.ActOwnAccesses, "nobody's", "c"},
		{archive.ActSealCase, "nobody's", "h"},
		{archive.ActSelf, "nobody's", "urahdmxcg"},
		{archive.ActAccounts, "nobody's", "dmx"},
		{archive.ActPropose, "nobody's", "m"},
		{archive.ActConfirm, "nobody's", "x"},
		{archive.ActKeys, "nobody's", "x"},
		{archive.ActEnrol, "nobody's", "urah"},
		{"record.burn", "own closed", ""},
	}
	for _, tt := range tests {
		for letter, role := range roles {
			a := archive.Actor{ID: "me", Role: role, Person: "token"}
			if a.Staff() {
				a.Office = "qc"
			}
			want := strings.IndexByte(tt.who, letter) >= 0
			if got := policy.Decide(a, tt.act, targets[tt.target]).Allowed; got != want {
				t.Errorf("%s, %s, %s: allowed %v", role, tt.act, tt.target, got)
			}
		}
	}
}

func TestConditions(t *testing.T) {
	clerk := archive.Actor{ID: "u", Role: archive.RoleUploader, Office: "qc", Person: "me"}
	record := func(f archive.Family, o archive.Openness) archive.Target {
		return archive.Target{Office: "qc", Family: f, Openness: o}
	}
	tests := []struct {
		name           string
		actor          archive.Actor
		act            archive.Action
		target         archive.Target
		purpose, trace bool
		masks          int
	}{
		{"livelihood page", clerk, archive.ActRead, record(archive.Livelihood, archive.Controlled), false, true, 1},
		{"livelihood file, closed", clerk, archive.ActFile, record(archive.Livelihood, archive.NotReviewed), true, true, 0},
		{"livelihood file, open", clerk, archive.ActFile, record(archive.Livelihood, archive.Open), false, true, 1},
		{"personnel page", clerk, archive.ActRead, record(archive.Personnel, archive.Open), true, true, 1},
		{"personnel file", clerk, archive.ActFile, record(archive.Personnel, archive.Open), true, true, 0},
		{"search", clerk, archive.ActSearch, archive.Target{}, false, true, 1},
		{"lookup", archive.Actor{Role: archive.RoleAgency}, archive.ActLookup, archive.Target{}, true, true, 2},
		{"traces", archive.Actor{Role: archive.RoleAuditor}, archive.ActAccesses, archive.Target{}, false, true, 0},
	}
	for _, tt := range tests {
		d := policy.Decide(tt.actor, tt.act, tt.target)
		if !d.Allowed || d.Purpose != tt.purpose || d.Trace != tt.trace || len(d.Masks) != tt.masks {
			t.Errorf("%s: %+v", tt.name, d)
		}
	}
}

// TestNobodyHandlesHisOwnMatter nor that of a declared relative.
func TestNobodyHandlesHisOwnMatter(t *testing.T) {
	approver := archive.Actor{ID: "a", Role: archive.RoleApprover, Office: "qc", Person: "me", Relatives: []string{"sister"}}
	acts := []archive.Action{archive.ActRead, archive.ActReveal, archive.ActFile, archive.ActDescribe, archive.ActReview, archive.ActApprove}
	for _, f := range []archive.Family{archive.Livelihood, archive.Personnel} {
		for _, act := range acts {
			for person, may := range map[string]bool{"me": false, "sister": false, "stranger": true} {
				about := archive.Target{Office: "qc", Family: f, Openness: archive.Open, Subjects: []string{"spouse", person}}
				if policy.Decide(approver, act, about).Allowed != may {
					t.Errorf("%s of a %s record about %s: allowed %v", act, f, person, !may)
				}
			}
		}
	}
	service := archive.Actor{Role: archive.RoleSystem, Person: "me"}
	if policy.Decide(service, archive.ActRead, archive.Target{Family: archive.Personnel, Subjects: []string{"me"}}).Allowed {
		t.Error("a personnel file was shown to its subject")
	}
}

// TestAdministratorsAreSeparated: none of the three sees a record, and no action of
// one that changes something is also another's.
func TestAdministratorsAreSeparated(t *testing.T) {
	admins := []archive.Role{archive.RoleAdmin, archive.RoleSecurity, archive.RoleAuditor}
	for _, row := range policy.Rows() {
		for _, act := range row.May {
			holders := 0
			for _, role := range admins {
				if slices.Contains(row.Who, role) && !row.Refused {
					holders++
				}
			}
			common := act == archive.ActAccounts || act == archive.ActSelf || act == archive.ActPublic || act == archive.ActVerify
			if holders > 1 && !common {
				t.Errorf("%s is given to %d administrators", act, holders)
			}
			if holders > 0 && strings.HasPrefix(string(act), "record.") {
				t.Errorf("an administrator may do %s", act)
			}
		}
	}
}

// TestScopeAdmitsExactlyWhatMayBeRead goes through every combination, which is
// few enough.
func TestScopeAdmitsExactlyWhatMayBeRead(t *testing.T) {
	roles := []archive.Role{
		archive.RoleUploader, archive.RoleReviewer, archive.RoleApprover, archive.RoleHead,
		archive.RoleAdmin, archive.RoleSecurity, archive.RoleAuditor,
		archive.RoleCitizen, archive.RoleAgency, archive.RoleSystem, archive.RoleAnonymous, "intruder",
	}
	for _, role := range roles {
		for _, office := range []string{"", "qc"} {
			for _, person := range []string{"", "p"} {
				a := archive.Actor{ID: "x", Role: role, Office: office, Person: person, Relatives: []string{"r"}}
				for target := range targets() {
					want := policy.Decide(a, archive.ActSearch, archive.Target{}).Allowed &&
						policy.Decide(a, archive.ActRead, target).Allowed
					if got := policy.Scope(a).Admits(target); got != want {
						t.Errorf("%+v, %+v: scope admits %v, policy %v", a, target, got, want)
					}
				}
			}
		}
	}
}

func targets() iter.Seq[archive.Target] {
	return func(yield func(archive.Target) bool) {
		for _, office := range []string{"", "qc", "zz"} {
			for _, family := range []archive.Family{"", archive.Livelihood, archive.Personnel} {
				for _, open := range []archive.Openness{"", archive.NotReviewed, archive.Open, archive.Controlled, archive.Postponed} {
					for _, subjects := range [][]string{nil, {"q"}, {"q", "p"}, {"r"}} {
						if !yield(archive.Target{Office: office, Family: family, Openness: open, Subjects: subjects, Applicant: "x"}) {
							return
						}
					}
				}
			}
		}
	}
}

func TestRowsHoldTogether(t *testing.T) {
	for i, row := range policy.Rows() {
		if len(row.Who) == 0 || len(row.May) == 0 || row.Where == "" {
			t.Errorf("row %d is incomplete", i)
		}
		if row.Purpose && !row.Trace || row.Case && !row.Purpose {
			t.Errorf("row %d asks for what it does not write down", i)
		}
		if row.Second != "" && !policy.Known(row.Second) {
			t.Errorf("row %d waits for an approval that nobody may give", i)
		}
	}
}
