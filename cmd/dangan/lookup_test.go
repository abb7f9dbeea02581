package main

import (
	"errors"
	"fmt"
	"iter"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"dangan/api/client"
	"dangan/archive"
	"dangan/cmd/dangan/demo"
)

// agencySite is a house with one marriage, served, and the key of an agency to it.
func agencySite(t *testing.T) (r *rig, url, key string) {
	t.Helper()
	r = newRig(t, newReader(t), nil)
	n := newcomer{Account: demo.Accounts()[slices.IndexFunc(demo.Accounts(), func(a archive.Account) bool { return a.Role == archive.RoleAgency })]}
	if err := n.invent(); err != nil {
		t.Fatal(err)
	}
	if err := (plan{Accounts: []newcomer{n}}).apply(t.Context(), r.house.bucket, r.house.newID, func(newcomer) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := r.deposit(r.actor("uploader")); err != nil {
		t.Fatal(err)
	}
	r.settle()
	server := httptest.NewServer(r.house.handler)
	t.Cleanup(server.Close)
	return r, server.URL, n.Token
}

// maritalStatus asks of the husband of the deposited marriage.
func maritalStatus(number string) archive.Question {
	return archive.Question{Kind: "marriage_status", Person: archive.Person{ID: archive.IDNumber{Original: number}},
		Purpose: archive.Purpose{Code: archive.ForPension, Case: "（2026）<1>号"}}
}

func citizenID() string {
	list := demo.Accounts()
	return list[slices.IndexFunc(list, func(a archive.Account) bool { return a.User == "citizen" })].IDNumber.Original
}

// TestClient asks a whole house: its answers cite the record, and are believed with their
// receipts only, by a service that has been started anew as well.
func TestClient(t *testing.T) {
	r, url, key := agencySite(t)
	c := client.New(client.Config{URL: url, Key: key})
	a, err := c.Ask(t.Context(), maritalStatus(citizenID()))
	if err != nil || !a.Exists || len(a.Found) != 1 {
		t.Fatalf("%+v %v", a, err)
	}
	if f := a.Found[0]; f.RefCode != "J019-ZY·2010·D100-001-0001" || f.Entry != 1 || f.Date.Year != 2010 || f.Fields["registration_kind"] != "marriage" || f.Fields["registry"] != "" {
		t.Errorf("%+v", f)
	}
	if s := a.Signed; s.ID != a.Receipt || s.Purpose != archive.ForPension || s.Case != "（2026）<1>号" || s.Agency != r.actor("agency").ID || s.At != a.At.Unix() {
		t.Errorf("%+v", s)
	}
	accesses, err := r.house.bucket.Access().Accesses(t.Context(), "", 1)
	if err != nil || len(accesses) != 1 || accesses[0].ID != a.Receipt {
		t.Errorf("the trace: %+v %v", accesses, err)
	}
	_, err = c.Ask(t.Context(), archive.Question{Kind: "who_is"})
	var p *client.Problem
	if !errors.As(err, &p) || p.Status != 422 || !errors.Is(err, archive.ErrInvalid) {
		t.Errorf("%v", err)
	}
	if _, err := client.New(client.Config{URL: url, Key: key + "x"}).Ask(t.Context(), maritalStatus(citizenID())); !errors.As(err, &p) || p.Code != "unauthenticated" || strings.Contains(err.Error(), key) {
		t.Errorf("%v", err)
	}
	before, err := c.Keys(t.Context())
	r.restart()
	again := client.New(client.Config{URL: serve(t, r), Key: key})
	after, errAfter := again.Keys(t.Context())
	if err != nil || errAfter != nil || !slices.Equal(before, after) {
		t.Errorf("the keys are others after a start: %v %v", before, after)
	}
}

func serve(t *testing.T, r *rig) string {
	t.Helper()
	server := httptest.NewServer(r.house.handler)
	t.Cleanup(server.Close)
	return server.URL
}

// TestClientAsksAll: more questions than are ever on their way at once, with one that
// cannot be answered among them.
func TestClientAsksAll(t *testing.T) {
	const many, bad = 3000, 1234
	_, url, key := agencySite(t)
	c := client.New(client.Config{URL: url, Key: key})
	var questions iter.Seq[archive.Question] = func(yield func(archive.Question) bool) {
		for i := range many {
			q := maritalStatus("999999199001010016")
			q.Purpose.Case = fmt.Sprint(i)
			if i == bad {
				q.Person = archive.Person{}
			}
			if !yield(q) {
				return
			}
		}
	}
	n := 0
	for a, err := range c.AskAll(t.Context(), questions) {
		var p *client.Problem
		switch {
		case n == bad && !errors.As(err, &p):
			t.Errorf("without a number: %v", err)
		case n != bad && (err != nil || a.Signed.Case != fmt.Sprint(n)):
			t.Fatalf("%d: %+v %v", n, a.Signed, err)
		}
		n++
	}
	if n != many {
		t.Errorf("%d answers", n)
	}
	for range c.AskAll(t.Context(), questions) {
		break
	}
	for _, err := range client.New(client.Config{URL: url, Key: "x"}).AskAll(t.Context(), questions) {
		var p *client.Problem
		if !errors.As(err, &p) || p.Status != 401 {
			t.Errorf("%v", err)
		}
	}
}
