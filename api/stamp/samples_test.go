package stamp

import (
	"bytes"
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
)

// TestSamples writes a certificate of each kind and the authorities behind the seals into the folder
// DANGAN_SAMPLES, for make conformance; without that, into one that goes away.
func TestSamples(t *testing.T) {
	dir := cmp.Or(os.Getenv("DANGAN_SAMPLES"), t.TempDir())
	plain, dated, proven := newTestStamper(t), newDatedStamper(t, newTestStamper(t)), newProvenStamper(t)
	answered := newAnsweredStamper(t)
	both, _ := withSM2(t, dated.testStamper)
	roots := slices.Concat(certificatePEM(plain.ca), certificatePEM(dated.ca), certificatePEM(dated.timeCA), certificatePEM(proven.ca), certificatePEM(answered.ca))
	if err := os.WriteFile(filepath.Join(dir, "authority.pem"), roots, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, sample := range map[string]struct {
		stamper testStamper
		sheet   Sheet
	}{
		"chinese": {plain, marriageSheet()}, "english": {plain, englishSheet()}, "long": {plain, longSheet()},
		"dated": {dated.testStamper, marriageSheet()}, "proven": {proven.testStamper, marriageSheet()},
		"answered": {answered.testStamper, marriageSheet()}, "sm2": {both, marriageSheet()}, "renewed": {proven.testStamper, marriageSheet()}, "twice": {proven.testStamper, marriageSheet()},
	} {
		path, made := filepath.Join(dir, name+".pdf"), issue(t, sample.stamper, sample.sheet)
		for range map[string]int{"renewed": 1, "twice": 2}[name] {
			made = renewed(t, proven, made)
		}
		if err := os.WriteFile(path, made, 0o600); err != nil {
			t.Fatal(err)
		}
		pdf, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if r := verdict(t, sample.stamper, pdf); r.Word != Valid {
			t.Errorf("%s: %s: %s", name, r.Word, r.Why)
		}
		pdfcpuAccepts(t, name, pdf)
	}
}

// pdfcpuAccepts has a library that we do not write PDFs with judge one, strictly.
func pdfcpuAccepts(t *testing.T, name string, pdf []byte) {
	t.Helper()
	api.DisableConfigDir()
	strict := model.NewDefaultConfiguration()
	strict.ValidationMode = model.ValidationStrict
	if err := api.Validate(bytes.NewReader(pdf), strict); err != nil {
		t.Errorf("%s: pdfcpu: %v", name, err)
	}
}
