package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dangan/archive"
	"dangan/internal/testenv"
)

// scanned is the first page of a PDF as a scanner would give it.
func scanned(t *testing.T, pdf []byte) []byte {
	t.Helper()
	file := secretFile(t, t.TempDir(), "typed.pdf", string(pdf))
	if out, err := exec.Command(testenv.Path(t, "pdftoppm"), "-r", "200", "-jpeg", "-singlefile", file, strings.TrimSuffix(file, ".pdf")).CombinedOutput(); err != nil {
		t.Fatalf("pdftoppm: %v\n%s", err, out)
	}
	jpeg, err := os.ReadFile(strings.TrimSuffix(file, ".pdf") + ".jpg")
	if err != nil {
		t.Fatal(err)
	}
	return jpeg
}

// TestOCRCommand: a scan came in when there was no tesseract; then it is installed.
func TestOCRCommand(t *testing.T) {
	models := testenv.Models(t)
	s := externalSite(t)
	record := s.deposit(t, storyRecord(s), upload{"扫描件.jpg", "image/jpeg", scanned(t, storyFiles(t)[0].bytes)})
	path := "/api/v1/records/" + record.ID
	note := func() string {
		var view archive.RecordView
		s.must(t, 200, call{user: "uploader", method: "GET", path: path}).json(t, &view)
		if len(view.States[0].Findings) != 1 {
			return ""
		}
		return view.States[0].Findings[0].Code
	}
	eventually(t, time.Minute, "a look at the file", func() bool { return note() == archive.NoteNoText })
	with := func(models string) []string { return append(slices.Clone(s.env), "DANGAN_OCR=auto", models) }
	if out := refused(t, s.env, "ocr"); !strings.Contains(out, "--ocr is off") {
		t.Error(out)
	}
	if out := refused(t, with("DANGAN_OCR_MODELS="+filepath.Dir(s.trust)), "ocr"); !strings.Contains(out, "--ocr-models") {
		t.Error(out)
	}

	s.service.Stop()
	ours := with("DANGAN_OCR_MODELS=" + models)
	s.service = testenv.Run(t, testenv.Spec{Args: []string{binary, "serve"}, Env: ours, Ready: s.url + "/readyz"})
	plan := exec.Command(binary, "ocr")
	plan.Env = ours
	if out, err := plan.CombinedOutput(); err != nil || !strings.Contains(string(out), "1 records have scans to be read") {
		t.Fatalf("%v\n%s", err, out)
	}
	eventually(t, 3*time.Minute, "the text of the scan", func() bool { return note() == archive.NoteMachineText })
	const phrase = "申请人自愿结为夫妻"
	eventually(t, time.Minute, "a hit by a phrase of the scan", func() bool {
		a, err := s.try(t.Context(), call{user: "uploader", method: "POST", path: "/api/v1/records/search", body: map[string]any{"q": phrase}})
		return err == nil && a.status == 200 && strings.Contains(string(a.body), record.ID) && strings.Contains(string(a.body), `"machine_text":true`)
	})
	var text struct {
		Machine bool
		Lines   []struct {
			Text  string
			Place []float64
		}
	}
	purpose := map[string]string{"Dangan-Purpose": "request; case=7"}
	s.must(t, 200, call{user: "uploader", method: "GET", path: path + "/files/1/pages/1/text", header: purpose}).json(t, &text)
	there := false
	for _, l := range text.Lines {
		there = there || strings.Contains(l.Text, phrase) && len(l.Place) == 4
	}
	if !text.Machine || !there {
		t.Errorf("%d lines, by a machine: %v", len(text.Lines), text.Machine)
	}
	s.must(t, 403, call{user: "citizen", method: "GET", path: path + "/files/1/pages/1/text", header: purpose})
	if strings.Contains(s.logs(), phrase) || strings.Contains(s.service.Log(), phrase) {
		t.Error("a log quotes the page")
	}
}
