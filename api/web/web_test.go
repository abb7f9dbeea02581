package web

import (
	"html/template"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template/parse"
	"unicode"

	"dangan/archive"
)

func locale(t *testing.T, lang string) words {
	t.Helper()
	w, err := readWords(lang)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestLocalesHaveTheSameTexts(t *testing.T) {
	zh, en := locale(t, "zh"), locale(t, "en")
	verbs := regexp.MustCompile(`%[a-z]`)
	for key, text := range zh {
		other, ok := en[key]
		if !ok {
			t.Errorf("en has no %s", key)
		}
		if a, b := verbs.FindAllString(text, -1), verbs.FindAllString(other, -1); !slices.Equal(a, b) {
			t.Errorf("%s: %v and %v", key, a, b)
		}
		if strings.TrimSpace(text) == "" || strings.TrimSpace(other) == "" {
			t.Errorf("%s is empty", key)
		}
	}
	for key := range en {
		if _, ok := zh[key]; !ok {
			t.Errorf("zh has no %s", key)
		}
	}
	for key, text := range en {
		if key != "brand.seal" && key != "nav.other" && !strings.Contains(text, "青民档证") && strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%s is not English: %s", key, text)
		}
	}
}

// templates parses every template without running any.
func templates(t *testing.T) []*template.Template {
	t.Helper()
	schema, err := archive.DefaultSchema()
	if err != nil {
		t.Fatal(err)
	}
	all, err := parseViews("zh", locale(t, "zh"), schema)
	if err != nil {
		t.Fatal(err)
	}
	var list []*template.Template
	for _, v := range all {
		list = append(list, v.Templates()...)
	}
	return list
}

// TestTextComesFromTheLocale: whatever a template says between its tags or in
// attributes that people read is looked up, and found.
func TestTextComesFromTheLocale(t *testing.T) {
	zh := locale(t, "zh")
	tags := regexp.MustCompile(`<[^>]*>?|^[^<]*>`)
	shown := regexp.MustCompile(`(?:title|alt|placeholder|aria-label)="([^"{]*\pL[^"]*)"`)
	literal := regexp.MustCompile(`\bt "([^"]+)"`)
	for _, tmpl := range templates(t) {
		if tmpl.Tree == nil {
			continue
		}
		source := tmpl.Tree.Root.String()
		for _, m := range literal.FindAllStringSubmatch(source, -1) {
			if _, ok := zh[m[1]]; !ok {
				t.Errorf("%s: no text for %s", tmpl.Name(), m[1])
			}
		}
		for _, m := range shown.FindAllStringSubmatch(source, -1) {
			if !regexp.MustCompile(`^[A-Z0-9·-]+$`).MatchString(m[1]) { // examples of codes
				t.Errorf("%s: %q is not from the locale", tmpl.Name(), m[1])
			}
		}
		text := ""
		walk(tmpl.Tree.Root, func(n *parse.TextNode) { text += string(n.Text) + "{{}}" })
		text = strings.ReplaceAll(text, "{{}}", "")
		if strings.ContainsFunc(tags.ReplaceAllString(text, ""), unicode.IsLetter) {
			t.Errorf("%s: %q is not from the locale", tmpl.Name(), tags.ReplaceAllString(text, ""))
		}
	}
}

func walk(n parse.Node, visit func(*parse.TextNode)) {
	branch := func(b parse.BranchNode) {
		walk(b.List, visit)
		if b.ElseList != nil {
			walk(b.ElseList, visit)
		}
	}
	switch n := n.(type) {
	case *parse.ListNode:
		for _, child := range n.Nodes {
			walk(child, visit)
		}
	case *parse.TextNode:
		visit(n)
	case *parse.IfNode:
		branch(n.BranchNode)
	case *parse.RangeNode:
		branch(n.BranchNode)
	case *parse.WithNode:
		branch(n.BranchNode)
	}
}

// TestCodesHaveTexts: keys that are put together at run time.
func TestCodesHaveTexts(t *testing.T) {
	zh := locale(t, "zh")
	want := map[string][]string{
		"state.":    {"submitted", "supplement_requested", "matched", "reviewed", "approved", "issued", "refused", "not_found", "withdrawn", "reviewed_not_found"},
		"step.":     {"submit", "match", "unmatch", "ask_supplement", "supplement", "review", "not_found", "reject", "return", "approve", "withdraw", "issue"},
		"do.":       {"match", "unmatch", "review", "approve", "withdraw", "supplement", "supplement.hint", "return", "return.hint", "ask_supplement", "ask_supplement.hint", "not_found", "not_found.hint", "reject", "reject.hint"},
		"cert.":     {"approved", "sealing", "sealed", "seal_failed", "revoked", "superseded"},
		"role.":     {"uploader", "reviewer", "approver", "head", "system_admin", "security_admin", "auditor", "citizen", "agency", "system", "anonymous"},
		"verdict.":  {"VALID", "REVOKED", "SUPERSEDED", "UNKNOWN", "TAMPERED", "EXPIRED", "VALID.text", "REVOKED.text", "SUPERSEDED.text", "UNKNOWN.text", "TAMPERED.text", "EXPIRED.text"},
		"openness.": {"not_reviewed", "open", "controlled", "postponed"},
		"family.":   {"personnel", "livelihood"},
		"file.":     {"checking", "ready", "rejected"},
		"sort.":     {"", "date", "-date", "reference_code"},
		"facet.":    {"family", "category", "office", "fonds", "openness"},
		"secrecy.":  {"internal"},
		"action.": {"record.deposit", "record.describe", "record.search", "record.read", "record.file", "request.submit", "request.read", "request.list",
			"request.withdraw", "request.supplement", "request.review", "request.approve", "certificate.read", "certificate.reseal", "certificate.revoke",
			"lookup.ask", "access.list", "certificate.verify", "public", "record.reveal", "access.own", "access.seal", "account.list", "account.propose", "account.confirm", "account.keys",
			"account.enrol", "account.self"},
	}
	for prefix, codes := range want {
		for _, code := range codes {
			if _, ok := zh[prefix+code]; !ok {
				t.Errorf("no text for %s%s", prefix, code)
			}
		}
	}
	for _, s := range states() {
		if _, ok := zh["awaits."+string(s)]; !ok && !s.Closed() {
			t.Errorf("no text for awaits.%s", s)
		}
	}
}

func TestHighlight(t *testing.T) {
	for in, want := range map[string]string{
		"a <mark>b</mark> &lt;c&gt;":       "a <mark>b</mark> &lt;c&gt;",
		"<script>x</script>":               "&lt;script&gt;x&lt;/script&gt;",
		"<mark>open":                       "open",
		"<mark onclick=x>y</mark>":         "&lt;mark onclick=x&gt;y",
		"<mark>a</mark><b>":                "a&lt;b&gt;",
		"&#34;<mark>x</mark> plain & text": "&#34;<mark>x</mark> plain & text",
	} {
		if got := string(highlight(in)); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestParseSources(t *testing.T) {
	for in, want := range map[string][]archive.PageRef{
		"":              nil,
		"1/2":           {{File: 1, Page: 2}},
		"3":             {{File: 1, Page: 3}},
		"1/2，2/1、 1/4 ": {{File: 1, Page: 2}, {File: 2, Page: 1}, {File: 1, Page: 4}},
	} {
		if got, err := parseSources(in); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v %v", in, got, err)
		}
	}
	for _, bad := range []string{"x", "0/1", "1/0", "1/2/3", "-1"} {
		if got, err := parseSources(bad); err == nil {
			t.Errorf("%q: %v", bad, got)
		}
	}
}

func TestNothingFromElsewhere(t *testing.T) {
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		if m := regexp.MustCompile(`(https?:)?//[a-z]|@import|url\(`).Find(raw); m != nil {
			t.Errorf("%s asks for %s", path, m)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
