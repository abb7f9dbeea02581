package timestamp_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"dangan/api/stamp"
	"dangan/api/stamp/timestamp"
)

func newClient(t testing.TB) (*timestamp.Client, *timestamp.Server) {
	t.Helper()
	ca, server, err := stamp.NewDemoTimestamps(time.Now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(server)
	t.Cleanup(h.Close)
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	return &timestamp.Client{URL: h.URL, Roots: roots, HTTP: h.Client(), Now: time.Now}, server
}

func TestStamp(t *testing.T) {
	client, server := newClient(t)
	digest := sha256.Sum256([]byte("content"))
	began := time.Now().Truncate(time.Second)
	der, chain, err := client.Stamp(t.Context(), digest)
	if err != nil || len(chain) != 2 || !chain[0].Equal(server.Certificate) {
		t.Fatalf("%d certificates, %v", len(chain), err)
	}
	token, err := timestamp.Parse(der, digest)
	if err != nil || token.Time.Before(began) || token.Time.After(time.Now()) || !token.Signer.Equal(server.Certificate) {
		t.Errorf("%+v, %v", token, err)
	}
	if _, err := timestamp.Parse(der, sha256.Sum256(nil)); err == nil {
		t.Error("the token passes for something else")
	}
}

// TestServerRefuses: what is no request is answered as RFC 3161 wants it, or not at all.
func TestServerRefuses(t *testing.T) {
	_, server := newClient(t)
	for body, status := range map[string]int{"hello": http.StatusOK, string(make([]byte, 5<<10)): http.StatusBadRequest} {
		w := httptest.NewRecorder()
		server.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", bytes.NewReader([]byte(body))))
		if w.Code != status {
			t.Errorf("%d bytes: status %d", len(body), w.Code)
		}
	}
}

func FuzzParse(f *testing.F) {
	client, _ := newClient(f)
	digest := sha256.Sum256([]byte("content"))
	der, _, err := client.Stamp(f.Context(), digest)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(der)
	f.Add(der[:len(der)/2])
	f.Add([]byte{0x30, 0x80, 0, 0})
	f.Fuzz(func(t *testing.T, der []byte) {
		token, err := timestamp.Parse(der, digest)
		if (err == nil) != (token != nil) {
			t.Fatalf("token %v with error %v", token, err)
		}
		if err == nil && token.Signer == nil {
			t.Fatal("a token by nobody")
		}
	})
}
