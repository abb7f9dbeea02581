package stamp

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func testStyle(t testing.TB) style {
	t.Helper()
	f, err := newFace(regularTTF, "NotoSerifSC-Regular", false)
	if err != nil {
		t.Fatal(err)
	}
	return style{font: newUsedFont(f, newDocument(newZipPool()), "R"), size: 10}
}

func breakText(t testing.TB, st style, text string, width float64) []string {
	t.Helper()
	atoms, err := st.set(text)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, l := range breakLines(atoms, width, 0) {
		var b strings.Builder
		for _, a := range l.atoms {
			b.WriteRune(a.r)
		}
		lines = append(lines, b.String())
	}
	return lines
}

func TestLineBreaking(t *testing.T) {
	st := testStyle(t)
	for _, tt := range []struct {
		name, text string
		width      float64
		want       string
	}{
		{"fits", "档案馆", 30, "档案馆"},
		{"breaks between characters", "档案馆馆藏", 30, "档案馆|馆藏"},
		{"no comma at the start", "档案馆馆，藏", 40, "档案馆|馆，藏"},
		{"half a comma fits", "档案馆馆，藏", 45, "档案馆馆，|藏"},
		{"no bracket at the end", "档案馆（馆藏）", 40, "档案馆|（馆藏）"},
		{"digits stay together", "档案20101234号", 45, "档案|20101234|号"},
		{"words stay together", "the marriage register", 60, "the|marriage|register"},
		{"a word too wide is broken", "marriageregister", 30, "marri|agere|gister"},
		{"a dot of a name does not begin a line", "买买提·吐尔逊", 30, "买买|提·吐|尔逊"},
		{"dashes do not part", "档案馆——馆藏", 42, "档案|馆——馆|藏"},
		{"spaces vanish at the end", "档案馆   馆", 30, "档案馆|馆"},
		{"nothing", "", 30, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(breakText(t, st, tt.text, tt.width), "|"); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// TestLineBreakingLosesNothing: whatever the text, its characters come back in order, lines keep to the
// width, and none begins or ends with a forbidden mark unless a single run is wider than the line.
func TestLineBreakingLosesNothing(t *testing.T) {
	st := testStyle(t)
	alphabet := []rune("档案馆婚姻㛃𬱖，。、（）《》“”aZ09- ·—")
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom(alphabet), 0, 80, -1).Draw(t, "text")
		width := rapid.Float64Range(12, 300).Draw(t, "width")
		atoms, err := st.set(text)
		if err != nil {
			t.Fatal(err)
		}
		var back strings.Builder
		for _, l := range breakLines(atoms, width, 0) {
			for _, a := range l.atoms {
				back.WriteRune(a.r)
			}
			if l.width() > width+0.001 && len(l.atoms) > 1 {
				t.Fatalf("a line of %v in %v", l.width(), width)
			}
		}
		if strings.ReplaceAll(back.String(), " ", "") != strings.ReplaceAll(text, " ", "") {
			t.Fatalf("%q came back as %q", text, back.String())
		}
	})
}

func TestJustify(t *testing.T) {
	st := testStyle(t)
	atoms, err := st.set("档案馆馆藏档案馆馆藏档案馆")
	if err != nil {
		t.Fatal(err)
	}
	lines := breakLines(atoms, 106, 0)
	lines[0].justify(106)
	if w := lines[0].width(); w < 105.99 || w > 106.01 {
		t.Errorf("a full line is %v wide", w)
	}
	before := lines[1].width()
	lines[1].justify(106)
	if lines[1].width() != before {
		t.Error("the last line was stretched")
	}
	short := textLine{atoms: atoms[:4]}
	before = short.width()
	short.justify(106)
	if short.width() != before {
		t.Error("a short line was torn apart")
	}
}
