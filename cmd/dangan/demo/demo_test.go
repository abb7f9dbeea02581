package demo_test

import (
	"bytes"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dangan/archive"
	"dangan/cmd/dangan/demo"
	"dangan/internal/testenv"
)

const many = 2000

func TestRecordsAreValid(t *testing.T) {
	s, err := archive.DefaultSchema()
	if err != nil {
		t.Fatal(err)
	}
	codes, keys, fonds := map[string]bool{}, map[string]bool{}, map[string][]string{}
	for _, o := range demo.Offices() {
		if !archive.ValidID(o.ID) {
			t.Errorf("office %q is no identifier", o.ID)
		}
		fonds[o.ID] = o.Fonds
	}
	for d := range demo.Records(demo.Seed, many) {
		r := d.Record.Complete(s)
		if ps := r.Problems(s); len(ps) > 0 {
			t.Errorf("%s: %v", d.Key, ps)
		}
		if codes[r.RefCode.Canonical()] || keys[d.Key] {
			t.Errorf("%s: not the only %s", d.Key, r.RefCode)
		}
		codes[r.RefCode.Canonical()], keys[d.Key] = true, true
		if !slices.Contains(fonds[r.Office], r.Fonds) {
			t.Errorf("%s: fonds %s is not its office's", d.Key, r.Fonds)
		}
		if c, _ := s.Category(r.Category); len(c.Sentences(r)) == 0 {
			t.Errorf("%s: nothing could be certified", d.Key)
		}
	}
	if len(codes) != many {
		t.Errorf("%d records", len(codes))
	}
}

// TestRecordsAreVaried holds that what searches and people stumble over is there.
func TestRecordsAreVaried(t *testing.T) {
	seen := map[string]int{}
	for d := range demo.Records(demo.Seed, many) {
		r := d.Record
		seen[r.Category]++
		seen[string(r.Openness)]++
		seen["office "+r.Office]++
		if r.Date.Year < 1950 || r.Date.Year > 2024 {
			t.Errorf("%s: of the year %d", d.Key, r.Date.Year)
		}
		notice := func(what string, is bool) {
			if is {
				seen[what]++
			}
		}
		notice("inferred date", r.Date.Inferred)
		notice("date to the year", r.Date.Month == 0)
		for _, p := range r.Persons {
			notice("dot", strings.Contains(p.Name, "·"))
			notice("rare", strings.ContainsAny(p.Name, "㛃𬱖龘"))
			notice("traditional", strings.ContainsAny(p.Name, "張陳劉國華"))
			notice("alias", len(p.Aliases) > 0)
			notice("no number", p.ID.IsZero())
			notice("flagged", p.ID.Flagged)
			notice("15 digits", len(p.ID.Original) == 15)
			if !p.ID.IsZero() && !strings.HasPrefix(p.ID.Number, "999999") {
				t.Errorf("%s: a number that could be somebody's", d.Key)
			}
		}
	}
	for _, what := range []string{"marriage", "social_insurance", "education", "land", "military", "dossier_item",
		"open", "not_reviewed", "controlled", "postponed", "inferred date", "date to the year",
		"dot", "rare", "traditional", "alias", "no number", "flagged", "15 digits"} {
		if seen[what] < 5 {
			t.Errorf("%s: %d times", what, seen[what])
		}
	}
	for _, o := range demo.Offices() {
		if seen["office "+o.ID] < many/10 {
			t.Errorf("%s holds %d records", o.Name.ZH, seen["office "+o.ID])
		}
	}
}

func TestRecordsAreTheSameEveryTime(t *testing.T) {
	few, more := slices.Collect(demo.Records(5, 40)), slices.Collect(demo.Records(5, 60))
	if diff := cmp.Diff(few, more[:40], cmpopts.IgnoreUnexported(demo.Deposit{})); diff != "" {
		t.Error(diff)
	}
	if cmp.Equal(few[39].Record, slices.Collect(demo.Records(6, 40))[39].Record) {
		t.Error("the seed makes no difference")
	}
}

// TestFirstRecord is the citizen's, so that the citizen's request finds it.
func TestFirstRecord(t *testing.T) {
	accounts := demo.Accounts()
	citizen := accounts[slices.IndexFunc(accounts, func(a archive.Account) bool { return a.User == "citizen" })]
	for d := range demo.Records(demo.Seed, 1) {
		p := d.Record.Persons[0]
		if p.Name != citizen.Name || p.ID != citizen.IDNumber || p.Role != "husband" || p.ID.Flagged {
			t.Errorf("%+v is not the citizen", p)
		}
	}
}

func TestAccounts(t *testing.T) {
	users := map[string]bool{}
	for _, a := range demo.Accounts() {
		if users[a.User] || a.Name == "" || a.ID != "" || a.Password != "" {
			t.Errorf("%+v", a)
		}
		users[a.User] = true
	}
}

// TestScans draws the scans of some records twice and opens them with other
// programs.
func TestScans(t *testing.T) {
	t.Parallel()
	qpdf := testenv.Path(t, "qpdf")
	s, err := archive.DefaultSchema()
	if err != nil {
		t.Fatal(err)
	}
	painters := [2]*demo.Painter{}
	for i := range painters {
		if painters[i], err = demo.NewPainter(); err != nil {
			t.Fatal(err)
		}
	}
	shapes := map[string]int{}
	for d := range demo.Records(demo.Seed, 40) {
		files, err := d.Files(painters[0], s)
		if err != nil {
			t.Fatalf("%s: %v", d.Key, err)
		}
		for _, f := range files {
			shapes[f.MediaType]++
			checkScan(t, qpdf, d.Key, f)
		}
		again, err := d.Files(painters[1], s)
		if err != nil || len(again) != len(files) {
			t.Fatalf("%s again: %d files, %v", d.Key, len(again), err)
		}
		for i := range files {
			if files[i].MediaType == "image/jpeg" && !bytes.Equal(files[i].Bytes, again[i].Bytes) {
				t.Errorf("%s: file %d differs", d.Key, i+1)
			}
		}
	}
	if shapes["image/jpeg"] == 0 || shapes["application/pdf"] == 0 {
		t.Error(shapes)
	}
}

func checkScan(t *testing.T, qpdf, key string, f demo.File) {
	t.Helper()
	if f.MediaType == "image/jpeg" {
		if _, err := jpeg.Decode(bytes.NewReader(f.Bytes)); err != nil {
			t.Errorf("%s: %v", key, err)
		}
		return
	}
	path := filepath.Join(t.TempDir(), "scan.pdf")
	if err := os.WriteFile(path, f.Bytes, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(qpdf, "--check", path).CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", key, err, out)
	}
}
