package stamp

import (
	"cmp"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
)

// TestSamples writes a certificate of each kind and the authority behind the seal into the folder
// DANGAN_SAMPLES, for make conformance; without that, into one that goes away.
func TestSamples(t *testing.T) {
	dir, s := cmp.Or(os.Getenv("DANGAN_SAMPLES"), t.TempDir()), newTestStamper(t)
	roots := x509.NewCertPool()
	roots.AddCert(s.ca)
	if err := os.WriteFile(filepath.Join(dir, "authority.pem"), certificatePEM(s.ca), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, sheet := range map[string]Sheet{"chinese": marriageSheet(), "english": englishSheet(), "long": longSheet()} {
		path := filepath.Join(dir, name+".pdf")
		if err := os.WriteFile(path, issue(t, s, sheet), 0o600); err != nil {
			t.Fatal(err)
		}
		pdf, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if result, err := Verify(pdf, roots, s.config.Now()); err != nil || result.Word != Valid {
			t.Errorf("%s: %v, %v", name, result, err)
		}
	}
}
