package main_test

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"dangan/archive"
	"dangan/internal/testenv"
)

// TestPages goes through the whole story in a real browser, as the people do:
// deposit, search, request, match, review, approve, verify. With
// DANGAN_SCREENSHOTS set to a folder it leaves a picture of every page there.
func TestPages(t *testing.T) {
	s := embeddedSite(t, 40)
	b := startBrowser(t, s)
	b.depositPage(t)
	b.searchPage(t)
	id := b.submitPage(t)
	b.deskPages(t, id)
	b.issuedPages(t, id)
	b.publicPages(t, id)
	b.english(t)
}

// browser opens a Chromium for every person, with cookies of its own.
type browser struct {
	site  *site
	shots string
	files []string
}

func startBrowser(t *testing.T, s *site) *browser {
	t.Helper()
	b := &browser{site: s, shots: os.Getenv("DANGAN_SCREENSHOTS")}
	for _, f := range storyFiles(t) {
		b.files = append(b.files, secretFile(t, t.TempDir(), f.name, string(f.bytes)))
	}
	return b
}

// as opens a browser for a person ("" for anybody) and signs in.
func (b *browser) as(t *testing.T, user string) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(testenv.Path(t, "chromium")), chromedp.NoSandbox, chromedp.WindowSize(1280, 900), chromedp.Flag("accept-lang", "zh-CN"),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancelTab := chromedp.NewContext(ctx)
	t.Cleanup(cancelTab)
	ctx, cancelTime := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancelTime)
	b.watch(t, ctx)
	if user != "" {
		b.do(t, ctx, chromedp.Navigate(b.site.url+"/signin"),
			chromedp.SendKeys(`input[name=user]`, user), chromedp.SendKeys(`input[name=password]`, b.site.secrets[user]),
			chromedp.Click(`main form button`), chromedp.WaitNotPresent(`input[name=password]`))
	}
	return ctx
}

// watch fails the test when a page throws, violates its own policy, or asks
// anybody but the service for something.
func (b *browser) watch(t *testing.T, ctx context.Context) {
	t.Helper()
	var mu sync.Mutex
	var wrong []string
	note := func(s string) {
		mu.Lock()
		defer mu.Unlock()
		wrong = append(wrong, s)
	}
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			note("exception: " + e.ExceptionDetails.Error())
		case *log.EventEntryAdded:
			if e.Entry.Level == log.LevelError && e.Entry.Source == log.SourceSecurity {
				note("security: " + e.Entry.Text)
			}
		case *network.EventRequestWillBeSent:
			if u := e.Request.URL; !strings.HasPrefix(u, b.site.url+"/") && !strings.HasPrefix(u, "data:") && !strings.HasPrefix(u, "blob:") && !strings.HasPrefix(u, "chrome-extension:") { // the last shows PDF files
				note("a request to " + u)
			}
			if u, err := url.QueryUnescape(e.Request.URL); err == nil && (strings.Contains(u, canaryName) || strings.Contains(u, canaryID)) {
				note("personal data in an address")
			}
		}
	})
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		for _, w := range wrong {
			t.Error(w)
		}
	})
	b.do(t, ctx, network.Enable(), log.Enable(), runtime.Enable())
}

func (b *browser) do(t *testing.T, ctx context.Context, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(ctx, actions...); err != nil {
		b.shoot(t, ctx, "failed")
		t.Fatal(err)
	}
}

// shoot leaves a picture of the whole page.
func (b *browser) shoot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	if b.shots == "" {
		return
	}
	var png []byte
	if err := chromedp.Run(ctx, chromedp.FullScreenshot(&png, 100)); err != nil {
		t.Errorf("screenshot of %s: %v", name, err)
		return
	}
	if err := os.WriteFile(filepath.Join(b.shots, name+".png"), png, 0o600); err != nil {
		t.Error(err)
	}
}

// says fails unless the page shows every text.
func (b *browser) says(t *testing.T, ctx context.Context, texts ...string) {
	t.Helper()
	var body string
	b.do(t, ctx, chromedp.Text("body", &body))
	for _, text := range texts {
		if !strings.Contains(body, text) {
			t.Errorf("the page does not say %q:\n%s", text, body)
		}
	}
}

func (b *browser) depositPage(t *testing.T) {
	t.Helper()
	ctx := b.as(t, "uploader")
	b.shoot(t, ctx, "home")
	fill := func(name, value string) chromedp.Action {
		return chromedp.SetValue(`[name="`+name+`"]`, value, chromedp.ByQuery)
	}
	b.do(t, ctx, chromedp.Navigate(b.site.url+"/deposit?category=marriage"), chromedp.Click(`p.submit button`), chromedp.WaitVisible(`.alert`))
	b.shoot(t, ctx, "deposit-problems")
	r := storyRecord(b.site)
	b.do(t, ctx, fill("reference_code", r.RefCode.Original), fill("title", r.Title), fill("responsible", r.Responsible), fill("date", "20100520"),
		fill("persons[0].role", "husband"), fill("persons[0].name", r.Persons[0].Name), fill("persons[0].id", r.Persons[0].ID.Original),
		fill("persons[1].role", "wife"), fill("persons[1].name", canaryName), fill("persons[1].id", canaryID),
		fill("fields.registration_kind", "marriage"), fill("fields.certificate_number", "J510822-2010-903456"),
		fill("fields.registered_on", "20100520"), fill("fields.registry", "青川市民政局婚姻登记处"),
		chromedp.SetUploadFiles(`input[type=file]`, b.files))
	b.shoot(t, ctx, "deposit")
	b.do(t, ctx, chromedp.Click(`p.submit button`), chromedp.WaitNotPresent(`input[type=file]`))
	b.says(t, ctx, canaryTitle)
	b.shoot(t, ctx, "record")
}

func (b *browser) searchPage(t *testing.T) {
	t.Helper()
	ctx := b.as(t, "reviewer")
	eventually(t, 30*time.Second, "the record in the index", func() bool {
		return len(b.site.search(t, 200, canaryName).Hits) > 0
	})
	b.do(t, ctx, chromedp.Navigate(b.site.url+"/search"), chromedp.SendKeys(`input[name=q]`, "登记"), chromedp.Click(`form.search button`), chromedp.WaitVisible(`article.hit`))
	b.shoot(t, ctx, "search")
	b.do(t, ctx, chromedp.SetValue(`input[name=q]`, canaryName), chromedp.Click(`form.search button`), chromedp.WaitVisible(`article.hit`))
	b.says(t, ctx, canaryTitle)
	var page string
	b.do(t, ctx, chromedp.Click(`article.hit a`), chromedp.WaitVisible(`.viewer select[name=purpose], img`), chromedp.OuterHTML("html", &page))
	b.shoot(t, ctx, "record-purpose")
	if strings.Contains(page, canaryID) {
		t.Error("the record page shows a full id number")
	}
	if !strings.Contains(page, `<img class="page"`) {
		b.do(t, ctx, chromedp.SetValue(`.viewer select[name=purpose]`, string(archive.ForConsultation)), chromedp.Submit(`.viewer select[name=purpose]`), chromedp.WaitVisible(`img`))
	}
	eventually(t, 30*time.Second, "the page image", func() bool {
		var width int
		b.do(t, ctx, chromedp.Evaluate(`Math.max(0, ...Array.from(document.images).map(i => i.naturalWidth))`, &width))
		return width > 100
	})
	b.shoot(t, ctx, "record-pages")
}

func (b *browser) submitPage(t *testing.T) (id string) {
	t.Helper()
	ctx := b.as(t, "citizen")
	var address string
	b.do(t, ctx, chromedp.Navigate(b.site.url+"/requests/new?category=marriage"),
		chromedp.SetValue(`select[name="wanted.persons[0].role"]`, "wife"), chromedp.SetValue(`input[name="wanted.persons[0].name"]`, canaryName),
		chromedp.SetValue(`select[name=office]`, b.site.persons["uploader"].Office),
		chromedp.SendKeys(`input[name=purpose]`, "办理公积金贷款"))
	b.shoot(t, ctx, "request-new")
	b.do(t, ctx, chromedp.Click(`p.submit button`), chromedp.WaitVisible(`.timeline`), chromedp.Location(&address))
	b.shoot(t, ctx, "request-citizen")
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(u.Path, "/requests/")
}

func (b *browser) deskPages(t *testing.T, id string) {
	t.Helper()
	path := b.site.url + "/requests/" + id
	ctx := b.as(t, "reviewer")
	b.do(t, ctx, chromedp.Navigate(b.site.url+"/requests"), chromedp.WaitVisible("table"))
	b.shoot(t, ctx, "desk")
	b.do(t, ctx, chromedp.Navigate(path), chromedp.WaitVisible(`.candidate`))
	b.says(t, ctx, canaryTitle)
	b.shoot(t, ctx, "desk-candidates")
	b.do(t, ctx, chromedp.Click(`.candidate form button`), chromedp.WaitReady(`input[value=review]`),
		chromedp.Submit(`input[value=review]`), chromedp.WaitNotPresent(`input[value=review]`))
	b.shoot(t, ctx, "desk-reviewed")
	ctx = b.as(t, "approver")
	b.do(t, ctx, chromedp.Navigate(path), chromedp.Submit(`input[value=approve]`), chromedp.WaitNotPresent(`input[value=approve]`))
}

func (b *browser) issuedPages(t *testing.T, id string) {
	t.Helper()
	eventually(t, 30*time.Second, "the certificate", func() bool { return b.site.request(t, "citizen", id).State == archive.Issued })
	ctx := b.as(t, "citizen")
	b.do(t, ctx, chromedp.Navigate(b.site.url+"/requests"), chromedp.WaitVisible("table"))
	b.shoot(t, ctx, "requests-citizen")
	b.do(t, ctx, chromedp.Navigate(b.site.url+"/requests/"+id), chromedp.WaitVisible(`a[href$="/pdf"]`))
	b.shoot(t, ctx, "request-issued")
	ctx = b.as(t, "approver")
	b.do(t, ctx, chromedp.Navigate(b.site.url+"/certificates/"+url.PathEscape(b.site.request(t, "citizen", id).Certificate)), chromedp.WaitVisible("h1"))
	b.shoot(t, ctx, "certificate")
	ctx = b.as(t, "auditor")
	b.do(t, ctx, chromedp.Navigate(b.site.url+"/accesses"), chromedp.WaitVisible("table"))
	b.shoot(t, ctx, "accesses")
	ctx = b.as(t, "agency")
	b.do(t, ctx, chromedp.Navigate(b.site.url+"/lookup"), chromedp.WaitVisible("form"))
	b.shoot(t, ctx, "lookup")
}

// publicPages verifies as somebody who scanned the code, and by the PDF.
func (b *browser) publicPages(t *testing.T, id string) {
	t.Helper()
	c, pdf := b.site.certificate(t, b.site.request(t, "citizen", id).Certificate)
	ctx := b.as(t, "")
	code := "#number=" + url.QueryEscape(c.Number) + "&code=" + c.Code
	b.do(t, ctx, chromedp.Navigate(b.site.url+"/v"+code), chromedp.WaitVisible(`#by-number`))
	b.shoot(t, ctx, "verify")
	b.do(t, ctx, chromedp.Click(`#by-number button`), chromedp.WaitVisible(`.verdict`))
	b.says(t, ctx, c.Number, "有效")
	b.shoot(t, ctx, "verify-valid")
	changed := append([]byte(nil), pdf...)
	changed[len(changed)/2] ^= 1
	for name, file := range map[string][]byte{"valid": pdf, "tampered": changed} {
		path := secretFile(t, t.TempDir(), name+".pdf", string(file))
		b.do(t, ctx, chromedp.Navigate(b.site.url+"/v"), chromedp.SetUploadFiles(`#by-file input[type=file]`, []string{path}),
			chromedp.Click(`#by-file button`), chromedp.WaitVisible(`.verdict.`+strings.ToUpper(name)))
		b.shoot(t, ctx, "verify-pdf-"+name)
	}
}

// english looks at the pages everybody meets in the other language.
func (b *browser) english(t *testing.T) {
	t.Helper()
	ctx := b.as(t, "")
	b.do(t, ctx, chromedp.Navigate(b.site.url+"/v?lang=en"), chromedp.WaitVisible(`#by-number`))
	b.shoot(t, ctx, "verify-en")
	b.do(t, ctx, chromedp.Navigate(b.site.url+"/signin"), chromedp.WaitVisible(`input[name=password]`))
	var body string
	b.do(t, ctx, chromedp.Text("main", &body))
	for _, r := range body {
		if r >= 0x4E00 && r <= 0x9FFF {
			t.Fatalf("Chinese on the English sign-in page: %s", body)
		}
	}
	b.shoot(t, ctx, "signin-en")
}
