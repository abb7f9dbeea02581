package timestamp

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"io"
	"net/http"
	"time"

	"github.com/digitorus/timestamp"
)

// Server is an authority for demonstrations and tests: it says what its clock says. A real one is run by
// somebody whom both sides believe.
type Server struct {
	Signer crypto.Signer
	// Certificate is Signer's, with the one extended key usage timeStamping, critical. Its issuers are not
	// sent.
	Certificate *x509.Certificate
	Now         func() time.Time
}

// ServeHTTP answers RFC 3161 requests.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4<<10))
	if err != nil {
		http.Error(w, "cannot read the request", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/timestamp-reply")
	request, err := timestamp.ParseRequest(raw)
	if err != nil {
		answer, err := timestamp.CreateErrorResponse(timestamp.Rejection, timestamp.BadRequest)
		write(w, answer, err)
		return
	}
	stamp := timestamp.Timestamp{
		HashAlgorithm: request.HashAlgorithm, HashedMessage: request.HashedMessage, Nonce: request.Nonce,
		Time: s.Now().UTC(), Accuracy: time.Second, Policy: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 32473, 1}, // RFC 5612: for examples
		AddTSACertificate: request.Certificates,
	}
	answer, err := stamp.CreateResponseWithOpts(s.Certificate, s.Signer, crypto.SHA256)
	write(w, answer, err)
}

func write(w http.ResponseWriter, answer []byte, err error) {
	if err != nil {
		http.Error(w, "cannot stamp", http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(answer) // whoever asked has gone
}
