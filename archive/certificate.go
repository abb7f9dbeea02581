package archive

import (
	"slices"
	"time"
)

// CertState is where a certificate is on its way out.
type CertState string

// approved → sealing → sealed, or seal_failed and again sealing; a sealed one
// may end revoked or superseded.
const (
	CertApproved   CertState = "approved"
	CertSealing    CertState = "sealing"
	CertSealed     CertState = "sealed"
	CertSealFailed CertState = "seal_failed"
	CertRevoked    CertState = "revoked"
	CertSuperseded CertState = "superseded"
)

// Certificate is the body of a certificate chain. Its ID is the ID of its
// request, so that one request can never issue twice.
type Certificate struct {
	ID            string      `json:"id"`
	Record        string      `json:"record"`
	RecordVersion int         `json:"record_version"`
	Applicant     string      `json:"applicant"` // account
	Office        string      `json:"office"`
	Issuer        Label       `json:"issuer"`
	SealNumber    string      `json:"seal_number"`
	Number        string      `json:"number"` // 青民档证〔2026〕000123号
	Code          string      `json:"code"`   // check code, XXXX-XXXX-XXXX
	Category      string      `json:"category"`
	Title         Label       `json:"title"`
	Language      string      `json:"language,omitempty"`
	Holder        string      `json:"holder"` // name as printed
	HolderID      string      `json:"holder_id,omitempty"`
	Matter        Label       `json:"matter"`
	Purpose       string      `json:"purpose"`
	Statements    []Statement `json:"statements"`
	// Template worded the Sheet; both are absent from a certificate of earlier times.
	Template   TemplatePin `json:"template,omitzero"`
	Sheet      *Sheet      `json:"sheet,omitempty"`
	Copy       *Copy       `json:"copy,omitempty"` // the pages it certifies, and not words
	State      CertState   `json:"state"`
	IssuedAt   time.Time   `json:"issued"`
	ValidUntil time.Time   `json:"valid_until,omitzero"`
	PDF        Blob        `json:"pdf,omitzero"`
	// Earlier are the PDFs that it was before its renewals, oldest first: each begins as the next one does.
	Earlier []Blob `json:"earlier,omitempty"`
	// Checkable is how long the PDF can be checked without a renewal; zero when nobody has looked yet.
	Checkable time.Time `json:"checkable_until,omitzero"`
	Attempts  int       `json:"attempts,omitempty"`
	Failure   string    `json:"failure,omitempty"` // stable code
	Reason    string    `json:"reason,omitempty"`  // of a revocation
	Successor string    `json:"successor,omitempty"`
	ChangedBy string    `json:"changed_by,omitempty"`
	ChangedAt time.Time `json:"changed,omitzero"`
}

// Statement is one sentence of a certificate with where it is recorded.
type Statement struct {
	Text   string   `json:"text"`
	Source Citation `json:"source"`
}

// Citation is the place in the archives that bears a sentence out.
type Citation struct {
	// Register is the register that bears out what no record does: that of searches.
	Register string `json:"register,omitempty"`
	RefCode  string `json:"reference_code"`
	File     int    `json:"file"`
	Page     int    `json:"page"`
	Date     Date   `json:"date"`
}

// Ref names the chain of the certificate.
func (c Certificate) Ref() Ref { return Ref{Kind: KindCertificate, ID: c.ID} }

// Blobs is the sealed PDF, once there is one, after those that it was before.
func (c Certificate) Blobs() []Blob {
	if c.PDF.ID == "" {
		return nil
	}
	return append(slices.Clone(c.Earlier), c.PDF)
}

// Genuine reports whether a PDF with this SHA-256 is the certificate, or was it before a renewal.
func (c Certificate) Genuine(digest string) bool {
	return slices.ContainsFunc(c.Blobs(), func(b Blob) bool { return b.SHA256 == digest })
}

// Released reports whether the certificate was sealed, whatever became of it
// since. A released certificate is never sealed again.
func (c Certificate) Released() bool {
	return c.State == CertSealed || c.State == CertRevoked || c.State == CertSuperseded
}

// Target is what policy needs to know of the certificate.
func (c Certificate) Target() Target {
	return Target{Ref: c.Ref(), Office: c.Office, Category: c.Category, Applicant: c.Applicant}
}

// Verdict is one of the five answers about a certificate.
type Verdict string

// The five answers.
const (
	Valid      Verdict = "VALID"
	Revoked    Verdict = "REVOKED"
	Superseded Verdict = "SUPERSEDED"
	Unknown    Verdict = "UNKNOWN"
	Tampered   Verdict = "TAMPERED"
)

// Verification is the public answer. Everything but Verdict and AsOf is empty
// when the certificate is unknown.
type Verification struct {
	Verdict   Verdict   `json:"verdict"`
	AsOf      time.Time `json:"as_of"`
	Expired   bool      `json:"expired,omitempty"` // valid, but its stated term has ended
	Number    string    `json:"number,omitempty"`
	Issuer    Label     `json:"issuer,omitzero"`
	Title     Label     `json:"title,omitzero"`
	IssuedAt  time.Time `json:"issued,omitzero"`
	Holder    string    `json:"holder,omitempty"` // masked
	Purpose   string    `json:"purpose,omitempty"`
	Pages     int       `json:"pages,omitempty"` // of a certified copy
	Reason    string    `json:"reason,omitempty"`
	Successor string    `json:"successor,omitempty"`
	SHA256    string    `json:"sha256,omitempty"` // of the sealed PDF
}
