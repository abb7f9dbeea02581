package api_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
)

// accountID is an account that the fake room answers about.
const accountID = "01K0000000000000000000000K"

func (w *world) Append(_ context.Context, id string, _ int, a archive.Account) error {
	w.accounts[id] = a
	return nil
}

func (w *world) State(_ context.Context, name string) ([]byte, string, error) {
	return w.states[name], string(w.states[name]), nil
}

func (w *world) SetState(_ context.Context, name string, value []byte, tag string) error {
	if string(w.states[name]) != tag {
		return archive.ErrConflict
	}
	w.states[name] = value
	return nil
}

func (w *world) Reveal(_ context.Context, _ archive.Actor, p archive.Purpose, id string) (archive.RecordView, error) {
	if p.Case == "" {
		return archive.RecordView{}, archive.Problems{{Code: "case_required", Field: "purpose"}}
	}
	return w.view(), w.see(id, p)
}

func (w *world) Own(context.Context, archive.Actor, string) ([]archive.Seen, string, error) {
	return []archive.Seen{{At: w.now, Action: archive.ActLookup, Record: recordID, Category: "marriage", Role: archive.RoleAgency, Agency: "中心", Purpose: archive.ForPension},
		{At: w.now, Action: archive.ActRead, Record: recordID, Category: "marriage", Role: archive.RoleUploader, Office: "qc"}}, missingID, w.fail
}

func (w *world) SealCase(_ context.Context, _ archive.Actor, p archive.Purpose) error {
	w.purpose = p
	return w.fail
}

// roles are those with an account.
func (w *world) roles() []archive.Role {
	return []archive.Role{archive.RoleUploader, archive.RoleReviewer, archive.RoleApprover, archive.RoleHead,
		archive.RoleAdmin, archive.RoleSecurity, archive.RoleAuditor, archive.RoleCitizen, archive.RoleAgency}
}

// people answers for the room of accounts, and remembers what it was asked.
type people struct{ w *world }

func (p people) one(n int) (archive.Version[archive.Account], error) {
	v := archive.Version[archive.Account]{N: 2, At: p.w.now, Value: archive.Account{ID: accountID, User: "zhang", Name: canary, Role: archive.RoleAgency,
		Proposed: archive.Post{Role: archive.RoleAgency}, Keys: []archive.Key{{ID: "k1", Label: "核查", Expires: p.w.now}}, Created: p.w.now}}
	if n != 0 && n != v.N {
		return v, archive.ErrConflict
	}
	return v, p.w.fail
}

func (p people) Own(_ context.Context, a archive.Actor) (archive.Version[archive.Account], error) {
	return archive.Version[archive.Account]{N: 1, Value: p.w.accounts[a.ID].Public()}, p.w.fail
}

func (p people) Declare(_ context.Context, _ archive.Actor, relatives []archive.IDNumber) (archive.Version[archive.Account], error) {
	for i, r := range relatives {
		relatives[i] = archive.NewIDNumber(r.Type, r.Original)
	}
	if err := archive.RelativeProblems(relatives).Err(); err != nil {
		return archive.Version[archive.Account]{}, err
	}
	return p.one(0)
}

func (p people) Enrol(_ context.Context, _ archive.Actor, a archive.Account) (archive.Version[archive.Account], string, error) {
	return p.made(a)
}

func (p people) Readmit(_ context.Context, _ archive.Actor, a archive.Account) (archive.Version[archive.Account], string, error) {
	return p.made(a)
}

func (p people) Renew(_ context.Context, _ archive.Actor, _ string, n int) (archive.Version[archive.Account], string, error) {
	v, err := p.one(n)
	return v, "first-password", err
}

func (p people) Propose(_ context.Context, _ archive.Actor, a archive.Account) (archive.Version[archive.Account], string, error) {
	return p.made(a)
}

func (p people) made(a archive.Account) (archive.Version[archive.Account], string, error) {
	if err := a.Problems().Err(); err != nil {
		return archive.Version[archive.Account]{}, "", err
	}
	v, err := p.one(0)
	return v, "first-password", err
}

func (p people) Account(context.Context, archive.Actor, string) (archive.Version[archive.Account], error) {
	return p.one(0)
}

func (p people) Find(context.Context, archive.Actor, string) (archive.Version[archive.Account], error) {
	return p.one(0)
}

func (p people) List(context.Context, archive.Actor, string, string) ([]archive.Version[archive.Account], string, error) {
	v, err := p.one(0)
	return []archive.Version[archive.Account]{v}, accountID, err
}

func (p people) Repost(_ context.Context, _ archive.Actor, _ string, n int, _ archive.Post) (archive.Version[archive.Account], error) {
	return p.one(n)
}

func (p people) Rule(_ context.Context, _ archive.Actor, _ string, n int, r archive.Ruling) (archive.Version[archive.Account], error) {
	p.w.steps = append(p.w.steps, string(r.Step))
	return p.one(n)
}

func (p people) Grant(_ context.Context, _ archive.Actor, _ string, n int, key archive.Key) (archive.Version[archive.Account], string, error) {
	if !key.Expires.After(p.w.now) {
		return archive.Version[archive.Account]{}, "", archive.Problems{{Code: "out_of_range", Field: "expires"}}
	}
	v, err := p.one(n)
	return v, "dgk_secret", err
}

func (p people) Withdraw(_ context.Context, _ archive.Actor, _ string, n int, _ string) (archive.Version[archive.Account], error) {
	return p.one(n)
}

// TestMatrix asks for every operation of the description as every role, and writes
// down who was let through: testdata/matrix.txt is read by people, and a route that
// is not in it fails.
func TestMatrix(t *testing.T) {
	w := newWorld(t)
	var doc struct {
		Paths map[string]map[string]struct {
			ID string `json:"operationId"`
		}
	}
	if err := json.Unmarshal(w.do(call{method: "GET", path: "/openapi.json"}).Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	roles := append(w.roles(), "")
	var lines []string
	for path, methods := range doc.Paths {
		for method, op := range methods {
			path := strings.NewReplacer("{id}", recordID, "{number}", "n", "{n}", "1", "{p}", "1").Replace(path)
			var let []string
			for _, role := range roles {
				rec := w.do(call{role: role, method: strings.ToUpper(method), path: path})
				if rec.Code == http.StatusForbidden || rec.Code == http.StatusUnauthorized {
					continue
				}
				let = append(let, map[bool]string{true: "anybody", false: string(role)}[role == ""])
			}
			lines = append(lines, op.ID+": "+strings.Join(let, " ")+"\n")
		}
	}
	slices.Sort(lines)
	got := strings.Join(lines, "")
	const golden = "testdata/matrix.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Error(diff)
	}
}

// TestOtherSitesWriteNothing: whatever changes something is refused when the page of
// another site sends it with the cookie of somebody who may.
func TestOtherSitesWriteNothing(t *testing.T) {
	w := newWorld(t)
	var doc struct {
		Paths map[string]map[string]struct{ ID string }
	}
	if err := json.Unmarshal(w.do(call{method: "GET", path: "/openapi.json"}).Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	paths := []string{"/signin", "/signout", "/deposit", "/search", "/requests", "/lookup", "/me/password", "/me/second", "/me/second/confirm", "/me/second/drop",
		"/me/sessions/end", "/me/relatives", "/accounts", "/accounts/{id}/password", "/accounts/{id}/rulings", "/accounts/{id}/keys", "/accounts/{id}/keys/withdraw",
		"/citizens", "/records/{id}/reveal", "/records/{id}/purpose", "/requests/{id}/actions"}
	for path, methods := range doc.Paths {
		if _, ok := methods["post"]; ok {
			paths = append(paths, path)
		}
	}
	cookie := w.signIn(archive.RoleHead)
	for _, path := range paths {
		path := strings.NewReplacer("{id}", recordID, "{number}", "n", "{n}", "1").Replace(path)
		if rec := w.form(path, url.Values{}, cookie, "cross-site"); rec.Code != http.StatusForbidden {
			t.Errorf("%s: %d", path, rec.Code)
		}
	}
	if len(paths) < 35 || w.move.Step != "" || len(w.steps) > 0 {
		t.Errorf("%d paths, %+v %v", len(paths), w.move, w.steps)
	}
}

func TestAccountsOverHTTP(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		role       archive.Role
		path, body string
		match      string
		status     int
		says       string
	}{
		{archive.RoleAdmin, "", `{"user":"zhang","name":"张","role":"agency"}`, "", 201, `"first_password":"first-password"`},
		{archive.RoleAdmin, "", `{"user":"Z!","name":"","role":"agency"}`, "", 422, `"bad_user_name"`},
		{archive.RoleAuditor, "/search", `{"list":"staff"}`, "", 200, `"next":"` + accountID},
		{archive.RoleAuditor, "/search", `{"user":"zhang"}`, "", 200, canary},
		{archive.RoleAdmin, "/" + accountID + "/post", `{"role":"agency"}`, `"2"`, 200, accountID},
		{archive.RoleAdmin, "/" + accountID + "/post", `{"role":"agency"}`, `"1"`, 412, "changed"},
		{archive.RoleAdmin, "/" + accountID + "/password", "", `"2"`, 200, `"first_password":"first-password"`},
		{archive.RoleSecurity, "/" + accountID + "/rulings", `{"step":"confirm"}`, `"2"`, 200, accountID},
		{archive.RoleSecurity, "/" + accountID + "/rulings", `{"step":"confirm"}`, "", 428, "if_match_required"},
		{archive.RoleSecurity, "/" + accountID + "/keys", `{"expires":"2027-01-01T00:00:00Z"}`, `"2"`, 201, `"secret":"dgk_secret"`},
		{archive.RoleSecurity, "/" + accountID + "/keys/withdraw", `{"key":"k1"}`, `"2"`, 200, accountID},
		{archive.RoleSecurity, "/X/keys/withdraw", `{"key":"k1"}`, `"2"`, 404, "not_found"},
	} {
		c := call{role: tt.role, method: "POST", path: "/api/v1/accounts" + tt.path, body: tt.body}
		if tt.match != "" {
			c.header = map[string]string{"If-Match": tt.match}
		}
		rec := w.do(c)
		if rec.Code != tt.status || !strings.Contains(rec.Body.String(), tt.says) {
			t.Errorf("%s %s: %d %s", tt.path, tt.body, rec.Code, rec.Body)
		}
	}
	for path, status := range map[string]int{"": 201, "/readmit": 200} {
		rec := w.do(call{role: archive.RoleUploader, method: "POST", path: "/api/v1/citizens" + path, body: `{"user":"zhang","name":"张","id_number":{"original":"999999199001010016"}}`})
		if rec.Code != status {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	}
}

// TestMyself signs in, looks at the sessions, and changes what one signs in with.
func TestMyself(t *testing.T) {
	w := newWorld(t)
	ask := func(method, path, body string) (int, string) {
		rec := w.do(call{role: archive.RoleUploader, method: method, path: "/api/v1/me" + path, body: body})
		return rec.Code, rec.Body.String()
	}
	w.signIn(archive.RoleUploader)
	if status, body := ask("GET", "", ""); status != 200 || strings.Contains(body, "argon2id") {
		t.Errorf("%d %s", status, body)
	}
	status, body := ask("GET", "/sessions", "")
	var list struct{ Sessions []archive.Session }
	if err := json.Unmarshal([]byte(body), &list); err != nil || status != 200 || len(list.Sessions) != 1 || list.Sessions[0].Hash != "" {
		t.Fatalf("%d %s", status, body)
	}
	if status, body := ask("POST", "/sessions/end", `{"id":"`+list.Sessions[0].ID+`"}`); status != 204 {
		t.Errorf("%d %s", status, body)
	}
	if _, body := ask("GET", "/sessions", ""); !strings.Contains(body, `"sessions":[]`) {
		t.Errorf("the session goes on: %s", body)
	}
	for _, tt := range []struct {
		path, body, says string
		status           int
	}{
		{"/second-factor", `{"current":"正确的密码"}`, `"address":"otpauth://totp/dangan:uploader`, 200},
		{"/second-factor/confirm", `{"code":"000000"}`, "wrong_code", 422},
		{"/second-factor/drop", `{"current":"正确的密码"}`, "", 204},
		{"/relatives", `{"relatives":[{"original":"1"}]}`, "bad_id_number", 422},
		{"/password", `{"current":"falsch","password":"lang genug hier"}`, "wrong_password", 422},
		{"/password", `{"current":"正确的密码","password":"kurz"}`, "too_short", 422},
		{"/password", `{"current":"正确的密码","password":"lang genug hier"}`, "", 204},
	} {
		if status, body := ask("POST", tt.path, tt.body); status != tt.status || !strings.Contains(body, tt.says) {
			t.Errorf("%s: %d %s", tt.path, status, body)
		}
	}
}

func TestOwnAccessesAndRevealedNumbers(t *testing.T) {
	w := newWorld(t)
	if rec := w.do(call{role: archive.RoleHead, method: "POST", path: "/api/v1/accesses/seals", body: `{"code":"justice","case":"17"}`}); rec.Code != 204 || w.purpose.Case != "17" {
		t.Errorf("%d %+v", rec.Code, w.purpose)
	}
	rec := w.do(call{role: archive.RoleCitizen, method: "GET", path: "/api/v1/me/accesses"})
	if rec.Code != 200 || !strings.Contains(rec.Body.String(), `"agency":"中心"`) || !strings.Contains(rec.Body.String(), `"next":"`+missingID) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	for body, status := range map[string]int{`{"code":"request"}`: 422, `{"code":"request","case":"7"}`: 200} {
		rec := w.do(call{role: archive.RoleUploader, method: "POST", path: "/api/v1/records/" + recordID + "/reveal", body: body})
		if rec.Code != status || (status == 200) != strings.Contains(rec.Body.String(), "999999199001010016") {
			t.Errorf("%s: %d %s", body, rec.Code, rec.Body)
		}
	}
	rec = w.do(call{role: archive.RoleUploader, method: "POST", path: "/api/v1/records/" + closedID + "/reveal", body: `{"code":"request","case":"7"}`})
	if p := problem(t, rec); p.Status != 404 {
		t.Errorf("%+v", p)
	}
}

func TestAccountPages(t *testing.T) {
	w := newWorld(t)
	cookies := map[archive.Role]*http.Cookie{}
	for _, role := range []archive.Role{archive.RoleUploader, archive.RoleAdmin, archive.RoleSecurity} {
		cookies[role] = w.signIn(role)
	}
	for _, tt := range []struct {
		role   archive.Role
		path   string
		form   url.Values
		status int
		says   string
	}{
		{archive.RoleAdmin, "/accounts", url.Values{"user": {"zhang"}, "name": {"张"}, "role": {"agency"}}, 200, "first-password"},
		{archive.RoleAdmin, "/accounts", url.Values{"user": {"Z!"}, "name": {"张"}}, 422, "只能用小写字母"},
		{archive.RoleAdmin, "/accounts/" + accountID + "/password", url.Values{"version": {"2"}}, 200, "first-password"},
		{archive.RoleSecurity, "/accounts/" + accountID + "/rulings", url.Values{"version": {"2"}, "step": {"lock"}, "list": {"agency"}}, 303, ""},
		{archive.RoleSecurity, "/accounts/" + accountID + "/rulings", url.Values{"version": {"1"}, "step": {"lock"}}, 409, "请重试"},
		{archive.RoleSecurity, "/accounts/" + accountID + "/keys", url.Values{"version": {"2"}, "expires": {"2027-01-01"}}, 200, "dgk_secret"},
		{archive.RoleSecurity, "/accounts/" + accountID + "/keys", url.Values{"version": {"2"}, "expires": {"soon"}}, 422, "account.expires"},
		{archive.RoleSecurity, "/accounts/" + accountID + "/keys/withdraw", url.Values{"version": {"2"}, "key": {"k1"}}, 303, ""},
		{archive.RoleUploader, "/citizens", url.Values{"user": {"zhang"}, "name": {"张"}, "id_number": {"999999199001010016"}}, 200, "first-password"},
		{archive.RoleUploader, "/citizens", url.Values{"user": {"zhang"}, "name": {"张"}, "id_number": {"999999199001010016"}, "known": {"on"}}, 200, "first-password"},
		{archive.RoleUploader, "/citizens", url.Values{"user": {"zhang"}, "name": {""}}, 422, "必填"},
		{archive.RoleUploader, "/me/relatives", url.Values{"relative": {"1"}}, 422, "身份证号有误"},
		{archive.RoleUploader, "/me/relatives", url.Values{"relative": {"999999199001010016"}}, 303, ""},
		{archive.RoleUploader, "/me/second", url.Values{"current": {"falsch"}}, 422, "密码不正确"},
		{archive.RoleUploader, "/me/second", url.Values{"current": {"正确的密码"}}, 200, "otpauth://"},
		{archive.RoleUploader, "/me/second/confirm", url.Values{"code": {"1"}, "secret": {"AAAA"}}, 422, "验证码不正确"},
		{archive.RoleUploader, "/records/" + recordID + "/reveal", url.Values{"purpose": {"request"}}, 422, "案号"},
		{archive.RoleUploader, "/records/" + recordID + "/reveal", url.Values{"purpose": {"request"}, "case": {"7"}}, 200, "999999199001010016"},
		{archive.RoleUploader, "/me/password", url.Values{"current": {"正确的密码"}, "password": {"lang genug hier"}}, 303, ""},
	} {
		rec := w.form(tt.path, tt.form, cookies[tt.role], "same-origin")
		if tt.says == "account.expires" {
			tt.says = "有效期至"
		}
		if rec.Code != tt.status || !strings.Contains(rec.Body.String(), tt.says) {
			t.Errorf("%s %v: %d %.300s", tt.path, tt.form, rec.Code, rec.Body)
		}
		if strings.Contains(rec.Header().Get("Location"), "999999") {
			t.Error("an id number in an address")
		}
	}
	if rec := w.get("/me", cookies[archive.RoleUploader]); rec.Code != http.StatusSeeOther {
		t.Errorf("the session of before the new password goes on: %d", rec.Code)
	}
}
