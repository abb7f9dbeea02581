package main_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"dangan/archive"
)

// TestCopyPages chooses pages in a real browser and draws a box over one, with
// the mouse and then by typing.
func TestCopyPages(t *testing.T) {
	s := embeddedSite(t, 12)
	b := startBrowser(t, s)
	id := s.openCopy(t)
	ctx := b.as(t, "reviewer")
	base := s.url + "/requests/" + id
	b.do(t, ctx, chromedp.Navigate(base), chromedp.Click(`a[href$="/copy"]`), chromedp.WaitVisible(`.strip`))
	b.do(t, ctx, chromedp.SetValue(`input[name="file-1"]`, "1"), chromedp.SetValue(`input[name="file-2"]`, "1"),
		chromedp.Submit(`input[name="file-1"]`), chromedp.WaitVisible(`p[role=status]`))
	b.says(t, ctx, "副本第 2 页")
	b.do(t, ctx, chromedp.Poll(`document.querySelector(".strip img").naturalWidth > 50`, nil))
	b.shoot(t, ctx, "copy")

	b.do(t, ctx, chromedp.Navigate(base+"/copy/files/2/pages/1"), chromedp.WaitVisible(`#masking img`),
		chromedp.Poll(`document.querySelector("#masking img").naturalWidth > 100`, nil), drag(0.2, 0.25, 0.6, 0.35))
	b.shoot(t, ctx, "copy-mask")
	var left, width, rects string
	b.do(t, ctx, chromedp.Value(`fieldset.box input[name=x]`, &left), chromedp.Value(`fieldset.box input[name=width]`, &width),
		chromedp.Evaluate(`String(document.querySelectorAll("#masking rect").length)`, &rects))
	if !near(left, 20) || !near(width, 40) || rects != "1" {
		t.Errorf("a box drawn from 20%% to 60%% is at %s, %s wide; %s are shown", left, width, rects)
	}
	b.do(t, ctx, chromedp.SetValue(`fieldset.box input[name=x]`, "21.5"), chromedp.SetValue(`fieldset.box select`, string(archive.MaskClosed)),
		chromedp.Submit(`#boxes`), chromedp.WaitVisible(`p[role=status]`))
	chosen := s.request(t, "reviewer", id).Copy.Pages
	if len(chosen) != 2 || len(chosen[1].Masks) != 1 || chosen[1].Masks[0].X != 0.215 || chosen[1].Masks[0].Reason != archive.MaskClosed {
		t.Errorf("chosen %+v", chosen)
	}
	b.do(t, ctx, chromedp.Navigate(base+"/copy"))
	b.says(t, ctx, "遮盖 1 处")
}

// openCopy is the request of the demonstration whose pages can still be chosen.
func (s *site) openCopy(t *testing.T) string {
	t.Helper()
	var list struct{ Requests []requestView }
	s.must(t, 200, call{user: "reviewer", method: "GET", path: "/api/v1/requests?state=matched"}).json(t, &list)
	for _, r := range list.Requests {
		if r.Service == archive.ServiceCopy {
			return r.ID
		}
	}
	t.Fatal("the demonstration has no copy to choose pages for")
	return ""
}

// drag draws a box over the page; its corners are fractions of it.
func drag(left, top, right, bottom float64) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		var frame struct{ X, Y, Width, Height float64 }
		if err := chromedp.Evaluate(`window.scrollTo(0, 0), document.querySelector("#masking svg").getBoundingClientRect().toJSON()`, &frame).Do(ctx); err != nil {
			return err
		}
		for _, step := range []struct {
			kind input.MouseType
			x, y float64
		}{{input.MousePressed, left, top}, {input.MouseMoved, (left + right) / 2, (top + bottom) / 2}, {input.MouseMoved, right, bottom}, {input.MouseReleased, right, bottom}} {
			at := chromedp.MouseEvent(step.kind, frame.X+step.x*frame.Width, frame.Y+step.y*frame.Height, chromedp.ButtonLeft)
			if err := at.Do(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// near allows for the pixels that a mouse moves by.
func near(text string, want float64) bool {
	got, err := strconv.ParseFloat(text, 64)
	return err == nil && got > want-0.5 && got < want+0.5
}
