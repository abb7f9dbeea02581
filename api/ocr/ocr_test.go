package ocr_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/png"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dangan/api/ocr"
	"dangan/archive"
	"dangan/internal/testenv"
)

func real(t testing.TB) *ocr.Tesseract {
	t.Helper()
	program, err := ocr.New(t.Context(), ocr.Config{Program: testenv.Path(t, "tesseract"), Models: testenv.Models(t), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// files is what offices write, in common characters.
func files() []string {
	return []string{
		"结婚登记审查处理表", "申请人双方自愿结婚，经审查符合中华人民共和国婚姻法", "关于结婚的规定，准予登记，发给结婚证。",
		"干部履历表", "本人于一九八五年七月参加工作，历任车间工人、班组长、", "生产科副科长，一九九二年加入中国共产党。",
		"工资级别由二级调整为三级，月工资四十二元五角，自当年", "十月起执行。单位意见：情况属实，同意上报。",
		"离休退休审批表", "该同志连续工龄三十一年，身体状况不能坚持正常工作，", "按照国务院有关规定，批准退休，退休费按百分之七十五发给。",
		"土地承包经营权证", "承包方全家五口人，承包耕地六亩二分，东至大路，西至", "水沟，南至张家田边，北至山脚，承包期限三十年不变。",
		"Certificate No. 510822, issued on 20 May 2010", "编号 J510822-2010-003456",
	}
}

// TestCommonCharacters is the promise to who searches: of a clean scan, nine in ten
// characters are read, and where they stand is known.
func TestCommonCharacters(t *testing.T) {
	want := files()
	lines, err := real(t).Recognize(t.Context(), decode(t, paper(t, 200, want...)))
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != len(want) {
		t.Fatalf("%d lines, want %d", len(lines), len(want))
	}
	right, all := 0, 0
	for i, line := range lines {
		read := strings.NewReplacer(",", "，", ":", "：", " ", "").Replace(line.String())
		expect := []rune(strings.ReplaceAll(want[i], " ", ""))
		all += len(expect)
		for k, r := range []rune(read) {
			if k < len(expect) && r == expect[k] {
				right++
			}
		}
		// Lines of 16 points begin 60 points from the left, 28 points apart.
		place, top := line.Place(), float64(60+28*i)/842
		if place[0] < 58./595 || place[0] > 64./595 || place[1] < top || place[3] > top+24./842 {
			t.Errorf("line %d is at %v", i+1, place)
		}
	}
	t.Logf("%d of %d characters", right, all)
	if right*10 < all*9 {
		t.Errorf("%d of %d characters are right", right, all)
	}
	if title := lines[0]; len(title) != 1 {
		t.Errorf("%d words in a line without blanks", len(title))
	}
	if english := lines[14]; len(english) < 6 || !strings.HasPrefix(english.String(), "Certificate No. 510822") {
		t.Errorf("%d words of English", len(english))
	}
}

func TestEmptyPage(t *testing.T) {
	lines, err := real(t).Recognize(t.Context(), image.NewGray(image.Rect(0, 0, 400, 300)))
	if err != nil || len(lines) != 0 {
		t.Error(lines, err)
	}
}

func decode(t testing.TB, raw []byte) image.Image {
	t.Helper()
	m, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// pretender is a program that says it is tesseract, and does something else.
func pretender(t *testing.T, script string, log *bytes.Buffer) (*ocr.Tesseract, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tesseract")
	script = "#!/bin/sh\nif [ \"$1\" = --list-langs ]; then echo chi_sim; exit; fi\n" + script
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return ocr.New(t.Context(), ocr.Config{Program: path, Logger: slog.New(slog.NewTextHandler(log, nil)), MaxTime: time.Second})
}

const (
	head = "printf 'level\\tp\\tb\\tp\\tl\\tw\\tl\\tt\\tw\\th\\tc\\ttext\\n1\\t1\\t0\\t0\\t0\\t0\\t0\\t0\\t100\\t100\\t-1\\t\\n'\n"
	word = "printf '5\\t1\\t1\\t1\\t1\\t1\\t10\\t20\\t30\\t40\\t90\\t%s\\n' "
)

// TestProgramHasNothing asks a program in the place of tesseract what it was given.
func TestProgramHasNothing(t *testing.T) {
	var log bytes.Buffer
	program, err := pretender(t, "/bin/cat >/dev/null\n"+head+
		word+`"$(/usr/bin/tr '\0' ';' </proc/$$/environ)"`+"\n"+
		`while read -r limit; do case $limit in "Max cpu"*|"Max file size"*|"Max core"*|"Max data"*|"Max open"*) `+word+`"$limit";; esac; done </proc/$$/limits`+"\n"+
		word+`"$(/usr/bin/cut -d' ' -f19 /proc/$$/stat) $PWD"`+"\n", &log)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := program.Recognize(t.Context(), image.NewGray(image.Rect(0, 0, 10, 10)))
	if err != nil || len(lines) == 0 {
		t.Fatal(lines, err, log.String())
	}
	var said string
	for _, w := range lines[0] {
		said += strings.Join(strings.Fields(w.Text), " ") + "\n"
	}
	want := "OMP_THREAD_LIMIT=1;\nMax cpu time 1 1 seconds\nMax file size 0 0 bytes\nMax data size 1073741824 1073741824 bytes\n" +
		"Max core file size 0 0 bytes\nMax open files 16 16 files\n19 /\n"
	if said != want {
		t.Errorf("%s\nwant\n%s", said, want)
	}
	if place := lines[0][0].Place; place != (archive.Place{0.1, 0.2, 0.4, 0.6}) {
		t.Error(place)
	}
}

// TestBadPages: what a page does to the program is nobody's error, and nothing that
// it says is logged.
func TestBadPages(t *testing.T) {
	for name, script := range map[string]string{
		"dies":              "echo canary >&2; kill -9 $$",
		"fails":             "echo canary >&2; exit 3",
		"takes too long":    "while :; do :; done",
		"talks nonsense":    "echo canary",
		"talks without end": "exec /usr/bin/yes canary",
		"lies":              head + "printf '5\\t1\\t1\\t1\\t1\\t1\\t-10\\t20\\t30\\t40\\t90\\tcanary\\n'",
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			program, err := pretender(t, script, &log)
			if err != nil {
				t.Fatal(err)
			}
			lines, err := program.Recognize(t.Context(), image.NewGray(image.Rect(0, 0, 10, 10)))
			if err != nil || len(lines) != 0 {
				t.Error(lines, err)
			}
			if strings.Count(log.String(), "page not recognized") != 2 || strings.Contains(log.String(), "canary") {
				t.Error(log.String())
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	var log bytes.Buffer
	program, err := pretender(t, "/bin/cat >/dev/null; exec /bin/sleep 600", &log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := program.Recognize(ctx, image.NewGray(image.Rect(0, 0, 10, 10))); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestNotInstalled(t *testing.T) {
	empty := t.TempDir()
	for name, c := range map[string]ocr.Config{
		"no program": {Program: filepath.Join(empty, "tesseract")},
		"no model":   {Program: testenv.Path(t, "tesseract"), Models: empty},
	} {
		if _, err := ocr.New(t.Context(), c); !errors.Is(err, ocr.ErrMissing) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var log bytes.Buffer
	program, err := pretender(t, "", &log)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Dir(program.Path())); err != nil {
		t.Fatal(err)
	}
	if _, err := program.Recognize(t.Context(), image.NewGray(image.Rect(0, 0, 10, 10))); !errors.Is(err, archive.ErrUnavailable) {
		t.Errorf("removed: %v", err)
	}
}

func BenchmarkPage(b *testing.B) {
	program, page := real(b), decode(b, paper(b, 200, scribble(b, 26, 28)...))
	for b.Loop() {
		if _, err := program.Recognize(b.Context(), page); err != nil {
			b.Fatal(err)
		}
	}
}
