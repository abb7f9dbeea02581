package indextest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
)

// testMachineText: a scan is found by a phrase of its page, and hits say that a
// machine has read it. The text comes, and goes, when the record has long been
// indexed, in the same version.
func testMachineText(t *testing.T, x Index) {
	scan, typed := doc("scan", 1, "干部履历", "刘静佩"), doc("typed", 1, "土地承包经营权证", "王伟")
	typed.Text = "承包耕地六亩二分，东至大路，西至水沟"
	put(t, x, scan, typed)
	const phrase = "经审查符合中华人民共和国婚姻法"
	if hits := search(t, x, archive.Query{Text: phrase}); len(hits.Hits) != 0 {
		t.Errorf("found before it was read: %v", ids(hits))
	}
	scan.Text, scan.Machine = "申请人双方自愿结婚,经审查符合中华人民共和国婚姻法\n关于结婚的规定,谊予登记", true
	put(t, x, scan)
	for text, want := range map[string][]string{
		phrase: {"scan"}, "自愿结婚": {"scan"}, "东至大路": {"typed"}, "刘静佩": {"scan"},
	} {
		hits := search(t, x, archive.Query{Text: text})
		if diff := cmp.Diff(want, ids(hits)); diff != "" {
			t.Errorf("%s: %s", text, diff)
		}
		for _, h := range hits.Hits {
			if h.Machine != (h.ID == "scan") {
				t.Errorf("%s: %s read by a machine: %v", text, h.ID, h.Machine)
			}
		}
	}
	scan.Text, scan.Machine = "", false // read anew, and found to be no scan
	put(t, x, scan)
	if hits := search(t, x, archive.Query{Text: phrase}); len(hits.Hits) != 0 {
		t.Errorf("found by what was withdrawn: %v", ids(hits))
	}
	if hits := search(t, x, archive.Query{Text: "刘静佩"}); len(hits.Hits) != 1 || hits.Hits[0].Machine {
		t.Errorf("%+v", hits.Hits)
	}
}
