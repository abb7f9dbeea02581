package main_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"dangan/archive"
)

// accountView is an account as the API shows it.
type accountView struct {
	archive.Account
	Version int
}

// made is what the API says of something new that has a secret.
type made struct {
	Account  accountView
	Password string `json:"first_password"`
	Secret   string
}

// match is the header for a change of an entry that was seen.
func match(version string) map[string]string { return map[string]string{"If-Match": version} }

// TestPeople takes somebody and an agency from the proposal of their accounts to
// their work, and shows a citizen who looked at the record about him.
func TestPeople(t *testing.T) {
	dir := t.TempDir()
	s := embeddedSiteIn(t, dir, 12)
	record := s.deposit(t, storyRecord(s), storyFiles(t)...)
	s.awaitReady(t, record)
	s.newClerk(t, record)
	s.newAgency(t)
	s.revealNumbers(t, record)
	s.whoSaw(t, record)
	s.leakNothing(t)
	s.service.Kill()
	if r, status := fsck(t, environment(), "--data", dir); status != 0 || len(r.Findings) > 0 {
		t.Errorf("what is left does not hold together: %+v", r)
	}
}

// newClerk is proposed by one administrator and confirmed by another, signs in with
// the first password, and is kept from the matters of a relative.
func (s *site) newClerk(t *testing.T, r archive.RecordView) {
	t.Helper()
	office := s.persons["uploader"].Office
	var m made
	s.must(t, 201, call{user: "admin", method: "POST", path: "/api/v1/accounts", body: map[string]any{
		"user": "newclerk", "name": canaryName, "id_number": archive.IDNumber{Original: "999999199001010016"}, "role": "reviewer", "office": office}}).json(t, &m)
	s.must(t, 422, call{user: "admin", method: "POST", path: "/api/v1/accounts", body: map[string]any{
		"user": "newclerk2", "name": canaryName, "id_number": archive.IDNumber{Original: "999999199001010016"}, "role": "auditor", "office": office}})
	if _, ok := s.signIn(t, "newclerk", m.Password); ok {
		t.Error("signed in before the post was confirmed")
	}
	rulings := "/api/v1/accounts/" + m.Account.ID + "/rulings"
	s.must(t, 403, call{user: "admin", method: "POST", path: rulings, body: archive.Ruling{Step: archive.RuleConfirm}, header: match(`"1"`)})
	s.must(t, 200, call{user: "security", method: "POST", path: rulings, body: archive.Ruling{Step: archive.RuleConfirm}, header: match(`"1"`)})
	browser, ok := s.signIn(t, "newclerk", m.Password)
	if !ok || status(t, browser, s.url+"/records/"+r.ID) != 200 {
		t.Fatal("the new clerk cannot work")
	}
	s.must(t, 200, call{user: "security", method: "POST", path: rulings, header: match(`"2"`),
		body: archive.Ruling{Step: archive.RuleRelatives, Relatives: []archive.IDNumber{{Original: canaryID}}}})
	if got := status(t, browser, s.url+"/records/"+r.ID); got != 404 {
		t.Errorf("the record of a relative: %d", got)
	}
	s.must(t, 200, call{user: "security", method: "POST", path: rulings, body: archive.Ruling{Step: archive.RuleLock}, header: match(`"3"`)})
	if got := status(t, browser, s.url+"/me"); got != http.StatusSeeOther {
		t.Errorf("a locked account goes on: %d", got)
	}
}

// signIn is a browser that has tried to.
func (s *site) signIn(t *testing.T, user, password string) (*http.Client, bool) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := browser.PostForm(s.url+"/signin", url.Values{"user": {user}, "password": {password}})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return browser, resp.StatusCode == http.StatusSeeOther
}

func status(t *testing.T, browser *http.Client, address string) int {
	t.Helper()
	resp, err := browser.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

// newAgency asks with a key that is for one purpose, within three questions a day, of
// which one is refused, until the key is withdrawn.
func (s *site) newAgency(t *testing.T) {
	t.Helper()
	var m made
	s.must(t, 201, call{user: "admin", method: "POST", path: "/api/v1/accounts", body: map[string]any{
		"user": "newagency", "name": "青川市社会保险事业中心", "role": "agency", "quota": 3}}).json(t, &m)
	account := "/api/v1/accounts/" + m.Account.ID
	s.must(t, 200, call{user: "security", method: "POST", path: account + "/rulings", body: archive.Ruling{Step: archive.RuleConfirm}, header: match(`"1"`)})
	s.must(t, 201, call{user: "security", method: "POST", path: account + "/keys", header: match(`"2"`), body: map[string]any{
		"label": "核查", "expires": time.Now().Add(24 * time.Hour), "grant": archive.Grant{Purposes: []archive.PurposeCode{archive.ForPension}}}}).json(t, &m)
	s.tokens["newagency"] = m.Secret
	question := archive.Question{Kind: archive.RecordExists, Category: "marriage", Person: archive.Person{ID: archive.IDNumber{Original: s.persons["citizen"].IDNumber.Original}},
		Purpose: archive.Purpose{Code: archive.ForJustice, Case: "1"}}
	ask := func(want int) string {
		return string(s.must(t, want, call{user: "newagency", method: "POST", path: "/api/v1/lookups", body: question}).body)
	}
	if body := ask(422); !strings.Contains(body, "not_granted") {
		t.Error(body)
	}
	question.Purpose.Code = archive.ForPension
	ask(200)
	ask(200)
	if body := ask(429); !strings.Contains(body, "quota_exceeded") {
		t.Error(body)
	}
	s.must(t, 200, call{user: "security", method: "POST", path: account + "/keys/withdraw", header: match(`"3"`), body: map[string]string{"key": m.Account.Keys[0].ID}})
	ask(401)
}

// revealNumbers shows them for a case, and not to who may not read the record.
func (s *site) revealNumbers(t *testing.T, r archive.RecordView) {
	t.Helper()
	path := "/api/v1/records/" + r.ID + "/reveal"
	s.must(t, 422, call{user: "reviewer", method: "POST", path: path, body: archive.Purpose{Code: archive.ForRequest}})
	a := s.must(t, 200, call{user: "reviewer", method: "POST", path: path, body: archive.Purpose{Code: archive.ForRequest, Case: "2026-17"}})
	if !strings.Contains(string(a.body), canaryID) {
		t.Errorf("%s", a.body)
	}
	s.must(t, 404, call{user: "reviewer-linjiang", method: "POST", path: path, body: archive.Purpose{Code: archive.ForRequest, Case: "2026-17"}})
}

// whoSaw is what the husband of the record hears: the reveal and the two answers, and
// nothing of the other record that a search showed, nor of any case.
func (s *site) whoSaw(t *testing.T, r archive.RecordView) {
	t.Helper()
	a := s.must(t, 200, call{user: "citizen", method: "GET", path: "/api/v1/me/accesses"})
	var list struct{ Accesses []archive.Seen }
	a.json(t, &list)
	count := map[archive.Action]int{}
	for _, seen := range list.Accesses {
		if seen.Record == r.ID {
			count[seen.Action]++
		}
		if seen.Role == archive.RoleAgency && seen.Agency != "青川市社会保险事业中心" {
			t.Errorf("%+v", seen)
		}
	}
	if count[archive.ActReveal] != 1 || count[archive.ActLookup] != 2 || count[archive.ActRead] == 0 || strings.Contains(string(a.body), "2026-17") {
		t.Errorf("%v %s", count, a.body)
	}
	s.must(t, 403, call{user: "reviewer", method: "GET", path: "/api/v1/me/accesses"})
}
