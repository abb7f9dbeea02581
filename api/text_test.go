package api_test

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"dangan/archive"
)

func (w *world) PageText(_ context.Context, _ archive.Actor, p archive.Purpose, id string, n, page int) (archive.PageText, error) {
	if err := w.see(id, p); err != nil || n != 1 || page > 2 {
		return archive.PageText{}, cmp.Or(err, archive.ErrNotFound)
	}
	return archive.PageText{Machine: page == 2, Lines: []archive.TextLine{
		{{Text: "结婚", Place: archive.Place{0.1, 0.1, 0.2, 0.12}}, {Text: "登记", Place: archive.Place{0.3, 0.1, 0.4, 0.12}}},
		{{Text: "No. 3"}},
	}}, nil
}

func TestPageText(t *testing.T) {
	w := newWorld(t)
	get := func(path string) (int, string) {
		rec := w.do(call{role: archive.RoleReviewer, method: "GET", path: "/api/v1/records/" + path, header: map[string]string{"Dangan-Purpose": "request; case=7"}})
		return rec.Code, rec.Body.String()
	}
	code, body := get(recordID + "/files/1/pages/2/text")
	var got struct {
		Machine bool
		Lines   []struct {
			Text  string
			Place []float64
			Words []archive.Word
		}
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || code != http.StatusOK || !got.Machine || len(got.Lines) != 2 {
		t.Fatal(code, body, err)
	}
	if l := got.Lines[0]; l.Text != "结婚登记" || gocmp.Diff([]float64{0.1, 0.1, 0.4, 0.12}, l.Place) != "" || len(l.Words) != 2 || l.Words[1].Place[0] != 0.3 {
		t.Errorf("%+v", l)
	}
	if l := got.Lines[1]; l.Text != "No. 3" || l.Place != nil {
		t.Errorf("%+v", l)
	}
	if w.purpose.Case != "7" {
		t.Errorf("%+v", w.purpose)
	}
	for _, path := range []string{recordID + "/files/2/pages/1", recordID + "/files/1/pages/3", recordID + "/files/x/pages/1", recordID + "/files/1/pages/01", closedID + "/files/1/pages/1", missingID + "/files/1/pages/1"} {
		if code, body := get(path + "/text"); code != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
}

// TestTextIsForWhoMaySeeThePage: the text has the rights of the picture.
func TestTextIsForWhoMaySeeThePage(t *testing.T) {
	w := newWorld(t)
	for role := range w.tokens {
		page := w.do(call{role: role, method: "GET", path: "/api/v1/records/" + recordID + "/files/1/pages/1"})
		text := w.do(call{role: role, method: "GET", path: "/api/v1/records/" + recordID + "/files/1/pages/1/text"})
		if page.Code != text.Code {
			t.Errorf("%s: the page %d, its text %d", role, page.Code, text.Code)
		}
	}
	if anybody := w.do(call{method: "GET", path: "/api/v1/records/" + recordID + "/files/1/pages/1/text"}); anybody.Code != http.StatusUnauthorized {
		t.Error(anybody.Code)
	}
}

// signed is the fake world with a signed file that was read by a machine.
func (w *world) signed() archive.FileState {
	return archive.FileState{State: archive.Ready, Pages: 2, Findings: []archive.Finding{{Code: archive.NoteMachineText}},
		Signatures: []archive.Signature{
			{State: archive.SignatureIntact, Whole: true, Signer: "青川市民政局", At: time.Date(2024, 5, 6, 1, 2, 0, 0, time.UTC)},
			{State: archive.SignatureBroken, Signer: "<b>某人</b>"},
			{State: archive.SignatureUnknown, Whole: true},
		}}
}

func TestSignaturesAreShown(t *testing.T) {
	w := newWorld(t)
	var view struct{ States []archive.FileState }
	rec := w.do(call{role: archive.RoleUploader, method: "GET", path: "/api/v1/records/" + recordID})
	if err := json.Unmarshal(rec.Body.Bytes(), &view); err != nil || gocmp.Diff([]archive.FileState{w.signed()}, view.States) != "" {
		t.Errorf("%v %s", err, rec.Body)
	}
	cookie := w.signIn(archive.RoleUploader)
	for lang, want := range map[string][]string{
		"zh": {"扫描页已由机器识别，仅供检索", "签名完好", "签署人：青川市民政局", "2024-05-06 09:02", "涵盖整个文件", "签名与内容不符", "签名之后文件又有增补", "&lt;b&gt;某人", "签名未能校验"},
		"en": {"Scanned pages were read by a machine, for search only", "Signature intact", "Signed by 青川市民政局", "Covers the whole file", "Signature does not match", "added to after it was signed", "Signature not checked"},
	} {
		page := w.get("/records/"+recordID+"?lang="+lang, cookie).Body.String()
		for _, text := range want {
			if !strings.Contains(page, text) {
				t.Errorf("%s: the page does not say %q", lang, text)
			}
		}
		if strings.Contains(page, "<b>") || strings.Contains(page, "⟦") {
			t.Errorf("%s: markup or a missing word", lang)
		}
	}
}

func TestHitsSayThatAMachineHasRead(t *testing.T) {
	w := newWorld(t)
	rec := w.do(call{role: archive.RoleUploader, method: "POST", path: "/api/v1/records/search", body: `{"q":"结婚"}`})
	if !strings.Contains(rec.Body.String(), `"machine_text":true`) {
		t.Error(rec.Body)
	}
	page := w.form("/search", map[string][]string{"q": {"结婚"}}, w.signIn(archive.RoleUploader), "").Body.String()
	if !strings.Contains(page, "含机器识别的文字") {
		t.Error("the page does not say so")
	}
}
