package archive_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/archive"
)

// told is a record that repeats a number and a name wherever it can.
func told(t *testing.T) archive.Record {
	t.Helper()
	r, schema := marriage(t)
	r.Persons[0].Aliases = []string{"张小㛃"}
	r.Persons[1].ID.Original = "999999900101001"
	r.Title = "张㛃（999999199001010016）结婚登记"
	r.Note = "另见９９９９９９１９９００１０１００１６及 9 9 9 9 9 9 1 9 9 0 0 1 0 1 0 0 1 6"
	r.Fields["registry"] = "李𬱖 999999900101001"
	r.Files = []archive.File{{Name: "张㛃-999999199001010016.pdf"}}
	return r.Complete(schema)
}

func text(t *testing.T, r archive.Record) string {
	t.Helper()
	out, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestMaskedLeavesNoNumberAnywhere(t *testing.T) {
	r := told(t)
	before := text(t, r)
	out := text(t, r.Masked([]archive.Mask{archive.MaskIDs}))
	for _, secret := range []string{"999999199001010016", "199001010", "９１９９００", "9 9 0 0", "999999900101001"} {
		if strings.Contains(out, secret) {
			t.Errorf("%q in %s", secret, out)
		}
	}
	if !strings.Contains(out, "999999********0016") || !strings.Contains(out, "张㛃") {
		t.Error(out)
	}
	if diff := cmp.Diff(before, text(t, r)); diff != "" {
		t.Errorf("the original changed: %s", diff)
	}
}

func TestMaskedShortensNames(t *testing.T) {
	out := text(t, told(t).Masked([]archive.Mask{archive.MaskNames, archive.MaskIDs}))
	for _, secret := range []string{"张㛃", "张小㛃", "李𬱖", "199001010"} {
		if strings.Contains(out, secret) {
			t.Errorf("%q in %s", secret, out)
		}
	}
}

func TestWithoutIDsKeepsNotEvenAPart(t *testing.T) {
	out := text(t, told(t).WithoutIDs())
	for _, secret := range []string{"999999", "0016", "9 9", "９９", "****"} {
		if strings.Contains(out, secret) {
			t.Errorf("%q in %s", secret, out)
		}
	}
	for in, want := range map[string]string{
		"证号 999999199001010017，2010年5月20日，共12页": "证号  ，2010年5月20日，共12页",
		"999999199001010016 2010":               "  2010",
		"9999991990010100162010":                " ",
		"999999 19900101 001x.":                 " .",
		"电话 0839-12345678":                      "电话 0839-12345678",
	} {
		if got := archive.WithoutIDs(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

// FuzzWithoutIDs looks for what is left in another way: by counting digits.
func FuzzWithoutIDs(f *testing.F) {
	f.Add("证号 999999199001010016，2010年")
	f.Add("9 9 9 9 9 9 1 9 9 0 0 1 0 1 0 0 1 6")
	f.Add("12345678999999 19900101 00161234567")
	f.Fuzz(func(t *testing.T, text string) {
		run := 0
		for _, r := range archive.WithoutIDs(text) {
			if '0' <= r && r <= '9' || '０' <= r && r <= '９' {
				run++
			} else {
				run = 0
			}
			if run >= 15 {
				t.Fatalf("%q keeps a long number", text)
			}
		}
	})
}
