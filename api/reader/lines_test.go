package reader_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dangan/api/reader"
	"dangan/archive"
)

func texts(lines []archive.TextLine) []string {
	var all []string
	for _, l := range lines {
		all = append(all, l.String())
	}
	return all
}

func near(a, b archive.Place) bool {
	const much = 0.012 // how high a letter is depends on who looks
	for i := range a {
		if a[i] < b[i]-much || a[i] > b[i]+much {
			return false
		}
	}
	return true
}

// TestLines: text stands where it is seen, on pages that are turned and cut too.
func TestLines(t *testing.T) {
	p := newPool(t, reader.PoolConfig{})
	// Two lines of Helvetica at 24 points, 72 points from the left edge, their
	// foot 142 and 182 points from the upper one. "Register" is 89 points wide.
	content := "BT /F 24 Tf 72 700 Td (Register) Tj 300 0 Td (1987) Tj -300 -40 Td (Second line) Tj ET"
	plain := pdf(catalog, pages, page, stream("", content), latin)
	turned := func(extra string) []byte {
		return bytes.Replace(plain, []byte("/MediaBox[0 0 595 842]"), []byte("/MediaBox[0 0 595 842]"+extra), 1)
	}
	for name, tt := range map[string]struct {
		file  []byte
		first archive.Place // of "Register"
	}{
		"as it is":          {plain, archive.Place{72. / 595, 124. / 842, 161. / 595, 142. / 842}},
		"on its right side": {turned("/Rotate 90"), archive.Place{700. / 842, 72. / 595, 718. / 842, 161. / 595}},
		"upside down":       {turned("/Rotate 180"), archive.Place{434. / 595, 700. / 842, 523. / 595, 718. / 842}},
		"cut":               {turned("/CropBox[50 100 450 800]"), archive.Place{22. / 400, 82. / 700, 111. / 400, 100. / 700}},
	} {
		t.Run(name, func(t *testing.T) {
			lines, err := p.Lines(t.Context(), bytes.NewReader(tt.file), int64(len(tt.file)), 1)
			if err != nil || len(lines) == 0 {
				t.Fatal(lines, err)
			}
			words := slices.Concat(lines...)
			at := slices.IndexFunc(words, func(w archive.Word) bool { return w.Text == "Register" })
			if at < 0 || !near(words[at].Place, tt.first) {
				t.Errorf("%+v, want it at %v", words, tt.first)
			}
			if got := strings.Join(texts(lines), "/"); name == "as it is" && got != "Register 1987/Second line" {
				t.Error(got)
			}
		})
	}
}

func TestLinesInChinese(t *testing.T) {
	p := newPool(t, reader.PoolConfig{})
	file := chinesePDF("婚姻登记𬱖档案")
	lines, err := p.Lines(t.Context(), bytes.NewReader(file), int64(len(file)), 1)
	if diff := cmp.Diff([]string{"婚姻登记𬱖档案"}, texts(lines)); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func TestNoLines(t *testing.T) {
	p := newPool(t, reader.PoolConfig{})
	plain := textPDF("x")
	for name, tt := range map[string]struct {
		file []byte
		page int
		none bool
	}{
		"beyond the end": {plain, 2, true},
		"page 0":         {plain, 0, true},
		"a picture":      {jpegFile(t, 90, 90), 1, true},
		"crash":          {selfReference(), 1, true},
		"nothing on it":  {onePage(""), 1, false},
	} {
		lines, err := p.Lines(t.Context(), bytes.NewReader(tt.file), int64(len(tt.file)), tt.page)
		if errors.Is(err, reader.ErrNoPage) != tt.none || err != nil && !tt.none || len(lines) > 0 {
			t.Errorf("%s: %v, %v", name, lines, err)
		}
	}
}

// FuzzLines: what a child says about places is believed when they are on the page.
func FuzzLines(f *testing.F) {
	f.Add([]byte(`[[{"text":"a","place":[0,0,1,1]}]]`))
	f.Add([]byte(`[[{"text":"a","place":[0,0,1,1e9]}]]`))
	f.Add([]byte(`[[{"text":"a","place":[0.5,0,0.4,1]}]]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		lines, ok := reader.ParseLines(body)
		for _, l := range lines {
			for _, w := range l {
				if p := w.Place; ok && (min(p[0], p[1]) < 0 || max(p[2], p[3]) > 1 || p[0] > p[2] || p[1] > p[3]) {
					t.Errorf("%v", p)
				}
			}
		}
	})
}
