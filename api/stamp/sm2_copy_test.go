package stamp

import (
	"bytes"
	"testing"
)

// TestCopyIsRenewedAndSignedWithSM2 like any certificate, whether marks were appended to the original or not.
func TestCopyIsRenewedAndSignedWithSM2(t *testing.T) {
	proven := newProvenStamper(t)
	s, roots := withSM2(t, proven.testStamper)
	base := pdfOf(t, leaf{box: "0 0 595 842", content: words("page")})
	for _, appended := range []bool{true, false} {
		c := whole(1)
		c.Append = appended
		pdf := makeCopy(t, s, c, source(base))
		if bytes.HasPrefix(pdf, base) != appended {
			t.Errorf("appended %t is not so", appended)
		}
		checkSM2(t, signatureOf(t, pdf).SM2, pdf[:coveredBy(t, pdf)])
		r := verdict(t, s, renewed(t, proven, pdf))
		if err := r.TrustSM2(roots); r.Word != Valid || r.Renewed != 1 || err != nil {
			t.Errorf("appended %t: %s: %s, %v", appended, r.Word, r.Why, err)
		}
	}
}

func coveredBy(t *testing.T, pdf []byte) int {
	t.Helper()
	id, err := Inspect(pdf)
	if err != nil {
		t.Fatal(err)
	}
	return id.Covered
}
