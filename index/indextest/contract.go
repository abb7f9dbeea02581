package indextest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"dangan/archive"
)

// Run tests the contract. Each call of open gives an empty index.
func Run(t *testing.T, open func(t *testing.T) Index) {
	for name, test := range map[string]func(*testing.T, Index){
		"searchable when put returns": testPut,
		"newer replaces, older never": testVersions,
		"racing versions":             testRace,
		"delete":                      testDelete,
		"filled":                      testFilled,
		"scope":                       testScope,
		"no scope, no hits":           testNoScope,
		"id numbers":                  testIDNumbers,
		"record id and token":         testKeys,
		"pages":                       testPages,
		"sort":                        testSort,
		"facets":                      testFacets,
		"filters":                     testFilters,
		"values are only values":      testInjection,
		"highlights":                  testHighlights,
		"cancelled":                   testCancelled,
		"text read by a machine":      testMachineText,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

func testPut(t *testing.T, x Index) {
	if err := x.Ready(t.Context()); err != nil {
		t.Fatalf("ready: %v", err)
	}
	put(t, x)
	for _, text := range []string{"", "刘静佩", "刘静 退休", "liujing", "G179", "1995"} {
		if hits := search(t, x, archive.Query{Text: text}); len(hits.Hits) != 0 {
			t.Errorf("an empty index found %v for %q", ids(hits), text)
		}
	}
	var docs []archive.Document
	for i := range 300 {
		docs = append(docs, doc(numbered("a", i), 1, "退休审批表", "刘静佩"))
	}
	put(t, x, docs...)
	if n, err := x.Count(t.Context()); err != nil || n != 300 {
		t.Errorf("count %d, %v", n, err)
	}
	if hits := search(t, x, archive.Query{Text: "刘静佩"}); hits.Total < 300 || len(hits.Hits) != 100 {
		t.Errorf("%d of %d found", len(hits.Hits), hits.Total)
	}
	want := archive.Hit{
		ID: "a007", Title: "退休审批表", Names: []string{"刘静佩"}, RefCode: "G179-TX·1995·D30-a007", Date: "1995-03-01",
		Year: 1995, Family: archive.Personnel, Category: "dossier_item", Office: "qc", Fonds: "G179",
		Openness: archive.Controlled, Version: 1,
		Highlights: map[string]string{"reference_code": "<mark>G179-TX·1995·D30-a007</mark>"},
	}
	hits := search(t, x, archive.Query{Text: "g179tx1995d30a007"})
	if diff := cmp.Diff([]archive.Hit{want}, hits.Hits); diff != "" {
		t.Error(diff)
	}
}

func testVersions(t *testing.T, x Index) {
	put(t, x, doc("a", 2, "退休审批表", "刘静佩"))
	put(t, x, doc("a", 1, "入团志愿书", "刘旧名"))
	put(t, x, doc("a", 4, "工资变动表", "王新名"), doc("a", 3, "入团志愿书", "刘旧名"))
	put(t, x, doc("a", 4, "工资变动表", "王新名")) // again, as after a crash
	for text, want := range map[string][]string{"刘静佩": {}, "刘旧名": {}, "入团志愿书": {}, "王新名": {"a"}, "工资变动": {"a"}} {
		hits := search(t, x, archive.Query{Text: text})
		if diff := cmp.Diff(want, ids(hits)); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
		for _, h := range hits.Hits {
			if h.Version != 4 {
				t.Errorf("%s: version %d", text, h.Version)
			}
		}
	}
	if n, err := x.Count(t.Context()); err != nil || n != 1 {
		t.Errorf("count %d, %v", n, err)
	}
}

func testRace(t *testing.T, x Index) {
	var wg sync.WaitGroup
	for version := 1; version <= 8; version++ {
		wg.Go(func() {
			if err := x.Put(t.Context(), doc("a", version, "退休审批表", "刘静佩"), doc(numbered("b", version), 1, "退休审批表", "王伟")); err != nil {
				t.Errorf("put: %v", err)
			}
		})
	}
	wg.Wait()
	hits := search(t, x, archive.Query{Text: "刘静佩"})
	if len(hits.Hits) != 1 || hits.Hits[0].Version != 8 {
		t.Errorf("%+v", hits.Hits)
	}
	if hits := search(t, x, archive.Query{Text: "王伟"}); hits.Total != 8 {
		t.Errorf("%d of 8 neighbours", hits.Total)
	}
}

func testDelete(t *testing.T, x Index) {
	put(t, x, doc("a", 3, "退休审批表", "刘静佩"), doc("b", 1, "退休审批表", "刘静佩"))
	for _, id := range []string{"a", "a", "never"} {
		if err := x.Delete(t.Context(), id); err != nil {
			t.Fatalf("delete: %v", err)
		}
	}
	if diff := cmp.Diff([]string{"b"}, ids(search(t, x, archive.Query{Text: "刘静佩"}))); diff != "" {
		t.Error(diff)
	}
}

func testFilled(t *testing.T, x Index) {
	expect := func(want bool) {
		t.Helper()
		if filled, err := x.Filled(t.Context()); err != nil || filled != want {
			t.Errorf("filled: %v, %v; want %v", filled, err, want)
		}
	}
	expect(false)
	put(t, x, doc("a", 1, "退休审批表", "刘静佩"))
	expect(false)
	if err := x.MarkFilled(t.Context()); err != nil {
		t.Fatalf("mark filled: %v", err)
	}
	expect(true)
	put(t, x, doc("b", 1, "退休审批表", "刘静佩"))
	expect(true)
}

// population is records of every mix of rights.
func population() []archive.Document {
	var docs []archive.Document
	for _, office := range []string{"qc", "ly", "a b"} {
		for _, family := range []archive.Family{archive.Personnel, archive.Livelihood} {
			for _, openness := range []archive.Openness{archive.Open, archive.Controlled, archive.NotReviewed} {
				d := doc(numbered("p", len(docs)), 1, "退休审批表", "刘静佩")
				d.Record.Office, d.Record.Family, d.Record.Openness = office, family, openness
				docs = append(docs, d)
			}
		}
	}
	return docs
}

func testScope(t *testing.T, x Index) {
	docs := population()
	put(t, x, docs...)
	clause := rapid.Custom(func(t *rapid.T) archive.Clause {
		return archive.Clause{
			Office:   rapid.SampledFrom([]string{"", "qc", "ly", "a b", "nowhere", `" OR office = "qc`}).Draw(t, "office"),
			Family:   rapid.SampledFrom([]archive.Family{"", archive.Personnel, archive.Livelihood}).Draw(t, "family"),
			Openness: rapid.SampledFrom([]archive.Openness{"", archive.Open, archive.Controlled, archive.NotReviewed}).Draw(t, "openness"),
		}
	})
	ctx := t.Context()
	rapid.Check(t, func(t *rapid.T) {
		scope := archive.Scope{Clauses: rapid.SliceOfN(clause, 0, 4).Draw(t, "clauses")}
		text := rapid.SampledFrom([]string{"", "刘静佩", "退休", "liujingpei", "ljp", "刘敬佩", "刘静", "退休 刘静佩", "G179"}).Draw(t, "text")
		hits, err := x.Search(ctx, archive.Query{Text: text, Limit: 100}, scope)
		if err != nil {
			t.Fatalf("search: %v", err)
		}
		var want []string
		for _, d := range docs {
			if scope.Admits(d.Record.Target()) {
				want = append(want, d.Record.ID)
			}
		}
		got := ids(hits)
		slices.Sort(got)
		if !slices.Equal(got, want) || hits.Total != len(want) || hits.AtLeast {
			t.Fatalf("%d hits of %d, in scope %d", len(got), hits.Total, len(want))
		}
		counted := 0
		for _, n := range hits.Facets["office"] {
			counted += n
		}
		if counted != len(want) {
			t.Fatalf("facets count %d of %d", counted, len(want))
		}
		for _, s := range hits.Suggestions {
			if s.Count > len(want) {
				t.Fatalf("a suggestion counts %d of %d", s.Count, len(want))
			}
		}
	})
}

func testNoScope(t *testing.T, x Index) {
	put(t, x, population()...)
	for _, text := range []string{"", "刘静佩", "刘敬佩", "退休", "G179"} {
		hits, err := x.Search(t.Context(), archive.Query{Text: text, Limit: 10}, archive.Scope{})
		if err != nil || hits.Total != 0 || len(hits.Hits) != 0 || len(hits.Suggestions) != 0 {
			t.Errorf("%q without rights: %d hits, %v", text, hits.Total, err)
		}
	}
}

func testIDNumbers(t *testing.T, x Index) {
	d := doc("a", 1, "退休审批表", "刘静佩")
	d.Record.Persons[0].ID = archive.NewIDNumber("", "999999199001010016")
	put(t, x, d)
	for _, text := range []string{"999999199001010016", "999999900101001", "刘静佩 999999199001010016", "99999919900101", "999999", "0016", "010016"} {
		if hits := search(t, x, archive.Query{Text: text}); len(hits.Hits) != 0 {
			t.Errorf("found by a number or a part of one: %d hits", len(hits.Hits))
		}
	}
}

func testKeys(t *testing.T, x Index) {
	const id = "01JDQ7Z0000000000000000001"
	d := doc(id, 1, "退休审批表", "刘静佩")
	token := strings.Repeat("0123456789abcdef", 4)
	d.Persons = []string{token}
	put(t, x, d, doc("a", 1, "退休审批表", "刘静佩"))
	for _, text := range []string{token, id, strings.ToLower(id)} {
		if diff := cmp.Diff([]string{id}, ids(search(t, x, archive.Query{Text: text}))); diff != "" {
			t.Error(diff)
		}
	}
	if hits := search(t, x, archive.Query{Text: token[:63] + "0"}); len(hits.Hits) != 0 {
		t.Error("found by another token")
	}
}

func testPages(t *testing.T, x Index) {
	var docs []archive.Document
	for i := range 25 {
		docs = append(docs,
			doc(numbered("exact", i), 1, "工资变动表", "刘静"),
			doc(numbered("start", i), 1, "工资变动表", "刘静佩"),
			doc(numbered("sound", i), 1, "工资变动表", "刘婧"))
	}
	put(t, x, docs...)
	for _, text := range []string{"刘静", "工资变动表", ""} {
		var all []string
		for offset := 0; offset < 80; offset += 8 {
			hits := search(t, x, archive.Query{Text: text, Offset: offset, Limit: 8})
			if hits.Total < len(all)+len(hits.Hits) || hits.Total > 75 {
				t.Errorf("%q at %d: total %d", text, offset, hits.Total)
			}
			all = append(all, ids(hits)...)
		}
		slices.Sort(all)
		if n := len(all); n != 75 || len(slices.Compact(all)) != 75 {
			t.Errorf("%q: %d hits on all pages, %d distinct", text, n, len(slices.Compact(all)))
		}
	}
	if hits := search(t, x, archive.Query{Text: "刘静", Limit: 100}); hits.Total != 75 || hits.AtLeast {
		t.Errorf("total %d, at least: %v", hits.Total, hits.AtLeast)
	}
	if hits := search(t, x, archive.Query{Offset: 1000, Limit: 100}); len(hits.Hits) != 0 {
		t.Error("hits beyond the last page")
	}
}

func testSort(t *testing.T, x Index) {
	dated := func(id, date, code string) archive.Document {
		d := doc(id, 1, "退休审批表", "刘静佩")
		d.Record.Date, _ = archive.ParseDate(date)
		d.Record.RefCode, _ = archive.ParseRefCode(code)
		return d
	}
	put(t, x, dated("a", "1995", "G179-TX-0003"), dated("b", "19941231", "G179-TX-0001"), dated("c", "199503", "G179-TX-0002"))
	for sort, want := range map[archive.Sort][]string{
		archive.SortDate: {"b", "a", "c"}, archive.SortDateDesc: {"c", "a", "b"}, archive.SortRefCode: {"b", "c", "a"},
	} {
		for _, text := range []string{"", "刘静佩", "退休"} {
			if diff := cmp.Diff(want, ids(search(t, x, archive.Query{Text: text, Sort: sort}))); diff != "" {
				t.Errorf("%s %q: %s", sort, text, diff)
			}
		}
	}
}

func testFacets(t *testing.T, x Index) {
	put(t, x, population()...)
	want := map[string]map[string]int{
		"family": {"personnel": 9, "livelihood": 9}, "category": {"dossier_item": 18}, "office": {"qc": 6, "ly": 6, "a b": 6},
		"fonds": {"G179": 18}, "openness": {"open": 6, "controlled": 6, string(archive.NotReviewed): 6},
	}
	for _, text := range []string{"", "刘静佩", "退休", "刘静培"} {
		hits := search(t, x, archive.Query{Text: text, Limit: 1})
		if diff := cmp.Diff(want, hits.Facets); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	hits := search(t, x, archive.Query{Text: "查无此人"})
	if len(hits.Facets) != 5 || len(hits.Facets["office"]) != 0 {
		t.Errorf("facets of nothing: %v", hits.Facets)
	}
}

func testFilters(t *testing.T, x Index) {
	docs := population()
	for i := range docs {
		docs[i].Record.Date, _ = archive.ParseDate([]string{"1990", "19951231", ""}[i%3])
	}
	put(t, x, docs...)
	for _, f := range []archive.Filter{
		{}, {Family: archive.Personnel}, {Category: "dossier_item"}, {Category: "land"}, {Office: "a b"}, {Fonds: "G179"},
		{Openness: archive.Open}, {YearFrom: 1990}, {YearTo: 1990}, {YearFrom: 1991, YearTo: 1995}, {YearFrom: 1996},
		{Family: archive.Livelihood, Office: "qc", Openness: archive.Controlled, YearFrom: 1900},
	} {
		want := []string{}
		for _, d := range docs {
			if f.Admits(d.Record) {
				want = append(want, d.Record.ID)
			}
		}
		got := ids(search(t, x, archive.Query{Text: "刘静佩", Filter: f}))
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%+v: %s", f, diff)
		}
	}
}

func testInjection(t *testing.T, x Index) {
	put(t, x, population()...)
	for _, value := range []string{`"`, `\`, `\"`, `qc" OR office = "ly`, `qc' OR 'a' = 'a`, "qc\n", "*", `\" OR family EXISTS OR office = "`} {
		hits, err := x.Search(t.Context(), archive.Query{Filter: archive.Filter{Office: value}, Limit: 10}, everything())
		if err != nil || len(hits.Hits) != 0 {
			t.Errorf("filter %q: %d hits, %v", value, len(hits.Hits), err)
		}
		hits, err = x.Search(t.Context(), archive.Query{Limit: 10}, archive.Scope{Clauses: []archive.Clause{{Office: value}}})
		if err != nil || len(hits.Hits) != 0 {
			t.Errorf("scope %q: %d hits, %v", value, len(hits.Hits), err)
		}
		if _, err := x.Search(t.Context(), archive.Query{Text: value + " 刘" + value, Limit: 10}, everything()); err != nil {
			t.Errorf("text %q: %v", value, err)
		}
	}
}

func testHighlights(t *testing.T, x Index) {
	d := doc("a", 1, `关于<b>劉靜</b>"退休"的批复&刘静`, "刘静", "阿依古丽·买买提")
	put(t, x, d)
	for text, want := range map[string]map[string]string{
		"刘静": {
			"title": `关于&lt;b&gt;<mark>劉靜</mark>&lt;/b&gt;&#34;退休&#34;的批复&amp;<mark>刘静</mark>`,
			"names": "<mark>刘静</mark>、阿依古丽·买买提",
		},
		"liujing": {"names": "<mark>刘静</mark>、阿依古丽·买买提"},
		"阿依古丽买买提": {"names": "刘静、<mark>阿依古丽·买买提</mark>"},
		"刘静 批复": {
			"title": `关于&lt;b&gt;<mark>劉靜</mark>&lt;/b&gt;&#34;退休&#34;的<mark>批复</mark>&amp;<mark>刘静</mark>`,
			"names": "<mark>刘静</mark>、阿依古丽·买买提",
		},
		"G179 tx": {"reference_code": "<mark>G179-TX</mark>·1995·D30-a"},
	} {
		hits := search(t, x, archive.Query{Text: text})
		if len(hits.Hits) != 1 {
			t.Errorf("%s: %d hits", text, len(hits.Hits))
			continue
		}
		if diff := cmp.Diff(want, hits.Hits[0].Highlights); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
	}
}

func testCancelled(t *testing.T, x Index) {
	put(t, x, doc("a", 1, "退休审批表", "刘静佩"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := x.Search(ctx, archive.Query{Text: "刘静佩", Limit: 10}, everything())
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a caller who left is told %v", err)
	}
}
