package people_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"dangan/archive"
)

func TestOneProposesAndAnotherConfirms(t *testing.T) {
	w, room := newWorld(t)
	v := w.proposed(room, staff("zhang", archive.RoleApprover, number(1)))
	if v.Value.Role != "" || v.Value.Password != "" || v.Value.IDNumber.Number == number(1).Number || w.accounts[v.Value.ID][0].Password != "hash of first-password" {
		t.Errorf("%+v", v.Value)
	}
	if _, err := room.Rule(t.Context(), admin, v.Value.ID, 1, archive.Ruling{Step: archive.RuleConfirm}); !errors.Is(err, archive.ErrForbidden) {
		t.Errorf("who proposes confirms: %v", err)
	}
	if _, _, err := room.Propose(t.Context(), security, staff("li", archive.RoleHead, number(2))); !errors.Is(err, archive.ErrForbidden) {
		t.Errorf("who confirms proposes: %v", err)
	}
	// Somebody who was system administrator when he proposed it.
	turned := archive.Actor{ID: admin.ID, Role: archive.RoleSecurity}
	if _, err := room.Rule(t.Context(), turned, v.Value.ID, 1, archive.Ruling{Step: archive.RuleConfirm}); !errors.Is(err, archive.ErrForbidden) {
		t.Errorf("an own proposal is confirmed in another post: %v", err)
	}
	if _, err := room.Rule(t.Context(), security, v.Value.ID, 2, archive.Ruling{Step: archive.RuleConfirm}); !errors.Is(err, archive.ErrConflict) {
		t.Errorf("an entry that was not seen: %v", err)
	}
	v, err := room.Rule(t.Context(), security, v.Value.ID, 1, archive.Ruling{Step: archive.RuleConfirm})
	if err != nil || v.Value.Role != archive.RoleApprover || v.Value.Office != "qc" || (v.Value.Proposed != archive.Post{}) || v.Value.By != security.ID {
		t.Errorf("%+v %v", v.Value, err)
	}
	if _, err := room.Rule(t.Context(), security, v.Value.ID, 2, archive.Ruling{Step: archive.RuleConfirm}); !errors.Is(err, archive.ErrState) {
		t.Errorf("confirmed twice: %v", err)
	}
	if len(w.traces) < 2 || w.traces[0].Action != archive.ActPropose || !slices.Contains(w.reset, v.Value.ID) {
		t.Errorf("%+v %v", w.traces, w.reset)
	}
}

// TestNobodyHoldsTwoPosts: a person has one account of staff, whatever it is, and
// whatever was left by an attempt that failed.
func TestNobodyHoldsTwoPosts(t *testing.T) {
	w, room := newWorld(t)
	w.fail = "append"
	if _, _, err := room.Propose(t.Context(), admin, staff("zhang", archive.RoleAdmin, number(1))); !errors.Is(err, errFull) {
		t.Fatal(err)
	}
	w.fail = ""
	w.proposed(room, staff("zhang", archive.RoleAdmin, number(1)))
	_, _, err := room.Propose(t.Context(), admin, staff("zhang2", archive.RoleAuditor, number(1)))
	if code(err) != "id_number person_has_account" {
		t.Error(err)
	}
	if _, _, err := room.Propose(t.Context(), admin, staff("zhang", archive.RoleAuditor, number(2))); code(err) != "user user_taken" {
		t.Error(err)
	}
	w.proposed(room, staff("zhang2", archive.RoleAuditor, number(2))) // its user name was given back
	if err := room.Install(t.Context(), archive.Account{User: "root", Role: archive.RoleSecurity}); code(err) != "id_number required" {
		t.Errorf("an administrator whom nobody knows: %v", err)
	}
	if err := room.Install(t.Context(), archive.Account{User: "root", Role: archive.RoleSecurity, IDNumber: number(1)}); code(err) != "id_number person_has_account" {
		t.Errorf("set up with a second post: %v", err)
	}
	if len(w.fenced) == 0 {
		t.Error("what was never made was not fenced off before its claims were taken")
	}
}

func TestProblemsOfAnAccount(t *testing.T) {
	_, room := newWorld(t)
	for want, a := range map[string]archive.Account{
		"user bad_user_name":      staff("张", archive.RoleHead, number(1)),
		"id_number required":      staff("zhang", archive.RoleHead, archive.IDNumber{}),
		"id_number bad_id_number": staff("zhang", archive.RoleHead, archive.IDNumber{Original: "1"}),
		"role bad_role":           staff("zhang", archive.RoleCitizen, number(1)),
		"office required":         {User: "zhang", Name: "张", IDNumber: number(1), Proposed: archive.Post{Role: archive.RoleHead}},
		"office unknown_office":   {User: "zhang", Name: "张", IDNumber: number(1), Proposed: archive.Post{Role: archive.RoleHead, Office: "zz"}},
		"quota out_of_range":      {User: "zhang", Name: "中心", Quota: -1, Proposed: archive.Post{Role: archive.RoleAgency}},
	} {
		if _, _, err := room.Propose(t.Context(), admin, a); code(err) != want {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestAnotherPost(t *testing.T) {
	w, room := newWorld(t)
	v := w.proposed(room, staff("zhang", archive.RoleUploader, number(1)))
	v, err := room.Rule(t.Context(), security, v.Value.ID, v.N, archive.Ruling{Step: archive.RuleConfirm})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := room.Repost(t.Context(), admin, v.Value.ID, v.N, archive.Post{Role: archive.RoleAgency}); code(err) != "role bad_role" {
		t.Errorf("a clerk becomes an agency: %v", err)
	}
	if v, err = room.Repost(t.Context(), admin, v.Value.ID, v.N, archive.Post{Role: archive.RoleHead, Office: "qc"}); err != nil || v.Value.Role != archive.RoleUploader {
		t.Fatalf("%+v %v", v.Value, err)
	}
	if v, err = room.Rule(t.Context(), security, v.Value.ID, v.N, archive.Ruling{Step: archive.RuleReject}); err != nil || v.Value.Role != archive.RoleUploader || v.Value.Proposed.Role != "" || v.Value.Disabled {
		t.Errorf("%+v %v", v.Value, err)
	}
}

func TestRulings(t *testing.T) {
	w, room := newWorld(t)
	v := w.proposed(room, staff("zhang", archive.RoleUploader, number(1)))
	rule := func(r archive.Ruling) (err error) {
		v, err = room.Rule(t.Context(), security, v.Value.ID, len(w.accounts[v.Value.ID]), r)
		if err != nil {
			v, _ = w.Head(t.Context(), fmt.Sprintf("%026d", 1))
		}
		return err
	}
	if err := rule(archive.Ruling{Step: archive.RuleReject}); err != nil || !v.Value.Disabled {
		t.Errorf("%+v %v", v.Value, err)
	}
	if err := rule(archive.Ruling{Step: archive.RuleUnlock}); err != nil || v.Value.Disabled {
		t.Errorf("%+v %v", v.Value, err)
	}
	if err := rule(archive.Ruling{Step: archive.RuleLock}); err != nil || !v.Value.Disabled {
		t.Errorf("%+v %v", v.Value, err)
	}
	if err := rule(archive.Ruling{Step: "burn"}); code(err) != "step unknown_value" {
		t.Error(err)
	}
	if err := rule(archive.Ruling{Step: archive.RuleRelatives, Relatives: []archive.IDNumber{{Original: "1"}}}); code(err) != "relatives[0] bad_id_number" {
		t.Error(err)
	}
	if err := rule(archive.Ruling{Step: archive.RuleRelatives, Relatives: []archive.IDNumber{{Original: number(2).Original}}}); err != nil || len(v.Value.Relatives) != 1 {
		t.Error(err)
	}
	own := archive.Actor{ID: v.Value.ID, Role: archive.RoleSecurity}
	if _, err := room.Rule(t.Context(), own, v.Value.ID, v.N, archive.Ruling{Step: archive.RuleUnlock}); !errors.Is(err, archive.ErrForbidden) {
		t.Errorf("the own account: %v", err)
	}
	if _, err := room.Rule(t.Context(), security, "nobody", 1, archive.Ruling{Step: archive.RuleLock}); !errors.Is(err, archive.ErrNotFound) {
		t.Error(err)
	}
}

// TestLostPasswords: two administrators give one of staff a new one, a clerk who has
// seen the document gives a citizen one, and neither the other's.
func TestLostPasswords(t *testing.T) {
	w, room := newWorld(t)
	v := w.proposed(room, staff("zhang", archive.RoleUploader, number(1)))
	v, password, err := room.Renew(t.Context(), admin, v.Value.ID, v.N)
	if err != nil || password == "" || !v.Value.Disabled || !slices.Contains(w.reset, v.Value.ID) {
		t.Errorf("%+v %v", v.Value, err)
	}
	if _, _, err := room.Readmit(t.Context(), clerk, archive.Account{User: "zhang", Name: "张", IDNumber: number(1)}); code(err) != "user unknown_account" {
		t.Errorf("a clerk opens the account of staff: %v", err)
	}
	c, _, err := room.Enrol(t.Context(), clerk, archive.Account{User: "wang", Name: "王", IDNumber: number(2)})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := room.Renew(t.Context(), admin, c.Value.ID, c.N); !errors.Is(err, archive.ErrForbidden) {
		t.Errorf("an administrator opens the account of a citizen: %v", err)
	}
	for user, id := range map[string]archive.IDNumber{"wang": number(3), "nobody": number(2)} {
		if _, _, err := room.Readmit(t.Context(), clerk, archive.Account{User: user, Name: "王", IDNumber: id}); code(err) != "user unknown_account" {
			t.Errorf("%s: %v", user, err)
		}
	}
	if _, password, err := room.Readmit(t.Context(), clerk, archive.Account{User: "wang", Name: "王", IDNumber: number(2)}); err != nil || password == "" {
		t.Error(err)
	}
	if err := room.Install(t.Context(), archive.Account{User: "online", Name: "赵", Role: archive.RoleCitizen, Assurance: archive.Unverified}); err != nil {
		t.Fatal(err)
	}
	if v, _, err := room.Readmit(t.Context(), clerk, archive.Account{User: "online", Name: "赵", IDNumber: number(4)}); err != nil || v.Value.Assurance != archive.Counter {
		t.Errorf("%+v %v", v.Value, err)
	}
}

// TestRelativesAreOnlyAdded: what keeps somebody from a matter is not his to take back.
func TestRelativesAreOnlyAdded(t *testing.T) {
	w, room := newWorld(t)
	v := w.proposed(room, staff("zhang", archive.RoleUploader, number(1)))
	me := archive.Actor{ID: v.Value.ID, Role: archive.RoleUploader}
	for _, list := range [][]archive.IDNumber{{number(2)}, {number(3), number(2)}, {}} {
		if _, err := room.Declare(t.Context(), me, list); err != nil {
			t.Fatal(err)
		}
	}
	head, _ := w.Head(t.Context(), me.ID)
	if len(head.Value.Relatives) != 2 {
		t.Errorf("%+v", head.Value.Relatives)
	}
	actor := head.Value.Actor(func(id archive.IDNumber) string { return id.Number })
	if want := []string{number(2).Number, number(3).Number, number(1).Number}; !slices.Equal(actor.Concerned(), want) {
		t.Errorf("%v", actor.Concerned())
	}
	if own, err := room.Own(t.Context(), me); err != nil || strings.Contains(fmt.Sprint(own.Value), number(2).Number) {
		t.Errorf("%+v %v", own.Value, err)
	}
}

func TestKeys(t *testing.T) {
	w, room := newWorld(t)
	v := w.proposed(room, archive.Account{User: "fund", Name: "中心", Quota: 100, Proposed: archive.Post{Role: archive.RoleAgency}})
	key := archive.Key{Label: "核查", Expires: w.now.Add(24 * time.Hour), Grant: archive.Grant{Purposes: []archive.PurposeCode{archive.ForPension}}}
	if _, _, err := room.Grant(t.Context(), security, v.Value.ID, 1, key); !errors.Is(err, archive.ErrState) {
		t.Errorf("before it is confirmed: %v", err)
	}
	v, err := room.Rule(t.Context(), security, v.Value.ID, 1, archive.Ruling{Step: archive.RuleConfirm})
	if err != nil {
		t.Fatal(err)
	}
	for want, bad := range map[string]archive.Key{
		"expires out_of_range":            {Expires: w.now},
		"grant.purposes[0] unknown_value": {Expires: key.Expires, Grant: archive.Grant{Purposes: []archive.PurposeCode{"curiosity"}}},
		"label too_long":                  {Expires: key.Expires, Label: strings.Repeat("x", 101)},
	} {
		if _, _, err := room.Grant(t.Context(), security, v.Value.ID, v.N, bad); code(err) != want {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, _, err := room.Grant(t.Context(), security, v.Value.ID, v.N, archive.Key{Expires: w.now.AddDate(3, 0, 0)}); code(err) != "expires out_of_range" {
		t.Errorf("for three years: %v", err)
	}
	v, secret, err := room.Grant(t.Context(), security, v.Value.ID, v.N, key)
	kept := w.accounts[v.Value.ID][v.N-1].Keys
	if err != nil || secret != "secret of "+v.Value.ID || v.Value.Keys[0].Hash != "" || kept[0].Hash != "kept" || !kept[0].Good(w.now) {
		t.Fatalf("%+v %v", kept, err)
	}
	if _, err := room.Withdraw(t.Context(), security, v.Value.ID, v.N, "another"); code(err) != "key unknown_value" {
		t.Error(err)
	}
	if v, err = room.Withdraw(t.Context(), security, v.Value.ID, v.N, kept[0].ID); err != nil || v.Value.Keys[0].Good(w.now) {
		t.Errorf("%+v %v", v.Value.Keys, err)
	}
	ps := key.Grant.Problems(archive.Question{Purpose: archive.Purpose{Code: archive.ForAudit}})
	if code(ps) != "purpose.code not_granted" {
		t.Error(ps)
	}
}

func TestLists(t *testing.T) {
	w, room := newWorld(t)
	for i := range 101 {
		w.proposed(room, staff(fmt.Sprintf("clerk%d", i), archive.RoleUploader, number(i)))
	}
	w.marks[archive.MarkAccount+archive.ListStaff] = append(w.marks[archive.MarkAccount+archive.ListStaff], "0000000000000000000000ZZZZ")
	first, next, err := room.List(t.Context(), auditor, archive.ListStaff, "")
	if err != nil || len(first) != 100 || next != first[99].Value.ID || first[0].Value.User != "clerk100" || first[0].Value.Password != "" {
		t.Fatalf("%d %q %v", len(first), next, err)
	}
	rest, next, err := room.List(t.Context(), auditor, archive.ListStaff, next)
	if err != nil || len(rest) != 1 || next != "" || rest[0].Value.User != "clerk0" {
		t.Errorf("%d %q %v", len(rest), next, err)
	}
	if _, _, err := room.List(t.Context(), auditor, "everybody", ""); code(err) != "list unknown_value" {
		t.Error(err)
	}
	if v, err := room.Find(t.Context(), auditor, "clerk7"); err != nil || v.Value.User != "clerk7" {
		t.Error(err)
	}
	if v, err := room.Account(t.Context(), auditor, rest[0].Value.ID); err != nil || v.Value.User != "clerk0" {
		t.Error(err)
	}
	if _, err := room.Find(t.Context(), clerk, "clerk7"); !errors.Is(err, archive.ErrForbidden) {
		t.Error(err)
	}
}

func TestCitizensAtTheCounter(t *testing.T) {
	w, room := newWorld(t)
	v, password, err := room.Enrol(t.Context(), clerk, archive.Account{User: "wang", Name: "王", Role: archive.RoleHead, IDNumber: number(1)})
	if err != nil || password == "" || v.Value.Role != archive.RoleCitizen || v.Value.Assurance != archive.Counter || v.Value.By != clerk.ID {
		t.Errorf("%+v %v", v.Value, err)
	}
	if _, _, err := room.Enrol(t.Context(), clerk, archive.Account{User: "wang2", Name: "王"}); code(err) != "id_number required" {
		t.Error(err)
	}
	if len(slices.Collect(maps.Keys(w.marks))) != 0 {
		t.Errorf("a citizen is on a list: %v", w.marks)
	}
	if taken, err := room.Taken(t.Context(), "wang"); err != nil || !taken {
		t.Error(taken, err)
	}
	if taken, err := room.Taken(t.Context(), "zhao"); err != nil || taken {
		t.Error(taken, err)
	}
}
