package web

import (
	"slices"
	"testing"

	"dangan/archive"
)

func TestParsePages(t *testing.T) {
	for in, want := range map[string][]int{
		"": nil, "3": {3}, "1-3, 5": {1, 2, 3, 5}, "5、1–2；4": {5, 1, 2, 4}, "7－8": {7, 8}, "2～2": {2},
	} {
		if got, err := parsePages(in); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %v %v", in, got, err)
		}
	}
	for _, bad := range []string{"x", "0", "-1", "1-", "3-1", "1-2-3", "1-99999999999999999999", "1-5000"} {
		if got, err := parsePages(bad); err == nil {
			t.Errorf("%q: %v", bad, got)
		}
	}
}

// FuzzParsePages: what is accepted is few pages, and is read the same when it is
// written again.
func FuzzParsePages(f *testing.F) {
	for _, seed := range []string{"1-3, 5", "5、1–2", "1-2000,1-2000", "9"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := parsePages(text)
		if err != nil {
			return
		}
		var pages []archive.CopyPage
		for _, n := range list {
			if n < 1 {
				t.Fatalf("page %d", n)
			}
			pages = append(pages, archive.CopyPage{PageRef: archive.PageRef{File: 1, Page: n}})
		}
		if again, err := parsePages(pageList(pages, 1)); err != nil && len(list) <= 2000 || err == nil && !slices.Equal(again, list) || len(list) >= 4000 {
			t.Errorf("%q: %v, then %v, %v", text, list, again, err)
		}
	})
}

func TestWithPage(t *testing.T) {
	at := func(refs ...archive.PageRef) []archive.CopyPage {
		var pages []archive.CopyPage
		for _, r := range refs {
			pages = append(pages, archive.CopyPage{PageRef: r})
		}
		return pages
	}
	type ref = archive.PageRef
	chosen := at(ref{File: 1, Page: 1}, ref{File: 1, Page: 3}, ref{File: 2, Page: 2})
	for next, want := range map[ref]int{{File: 1, Page: 2}: 1, {File: 1, Page: 3}: 1, {File: 1, Page: 9}: 2, {File: 2, Page: 1}: 2, {File: 3, Page: 1}: 3} {
		got := withPage(chosen, archive.CopyPage{PageRef: next})
		if i := slices.IndexFunc(got, func(p archive.CopyPage) bool { return p.PageRef == next }); i != want || len(chosen) != 3 {
			t.Errorf("%v is at %d of %v", next, i, got)
		}
	}
}
