package main_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestTemplatePages changes a template in a real browser: what is wrong is seen
// beside it while one types, and what is right is saved as the next version.
func TestTemplatePages(t *testing.T) {
	s := embeddedSite(t, 12)
	b := startBrowser(t, s)
	ctx := b.as(t, "head")
	b.do(t, ctx, chromedp.Navigate(s.url+"/templates"), chromedp.Click(`a[href^="/templates/marriage?office="]`), chromedp.WaitVisible(`#template`))
	b.shoot(t, ctx, "template")
	b.do(t, ctx, chromedp.SendKeys(`textarea[name="blocks[5].text.zh"]`, "{nobody}"),
		chromedp.Poll(`(frames.preview.document.body || {textContent: ""}).textContent.includes("没有这个名称")`, nil, chromedp.WithPollingInterval(200*time.Millisecond)))
	b.do(t, ctx, chromedp.SetValue(`input[name="title.zh"]`, "青川婚姻证明"), chromedp.Submit(`#template`), chromedp.WaitVisible(`div[role=alert]`))
	b.says(t, ctx, "blocks[5].text.zh", "没有这个名称")
	b.do(t, ctx, chromedp.SetValue(`textarea[name="blocks[5].text.zh"]`, "经查阅馆藏档案，记载如下："),
		chromedp.Submit(`#template`), chromedp.WaitVisible(`p[role=status]`))
	b.says(t, ctx, "青川婚姻证明", "版本 1")
	b.do(t, ctx, chromedp.Navigate(s.url+"/templates"))
	b.says(t, ctx, "青川婚姻证明", "青川市档案馆")
}
