package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"dangan/archive"
)

const asked = `{"question":"record_exists","category":"marriage","person":{"name":"张三","id":{"original":"999999199001010016"}},"purpose":{"code":"pension","case":"2026-1"}}`

// TestTheReceiptIsOfWhatWasSent: not of what the service makes of it.
func TestTheReceiptIsOfWhatWasSent(t *testing.T) {
	w := newWorld(t)
	want, err := archive.Digest([]byte(asked))
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{asked, strings.ReplaceAll(asked, ":", " : ")} {
		if rec := w.do(call{role: archive.RoleAgency, method: "POST", path: "/api/v1/lookups", body: body}); rec.Code != 200 || w.asked.Digest != want {
			t.Errorf("%d %s, of %s", rec.Code, w.asked.Digest, want)
		}
	}
}

func TestReceiptKeys(t *testing.T) {
	w := newWorld(t)
	key := archive.JWK{Type: "OKP", Curve: "Ed25519", X: "x", ID: "1", Use: "sig", Alg: "EdDSA"}
	c := w.config()
	c.ReceiptKeys = []archive.JWK{key}
	w.rebuild(c)
	var set struct{ Keys []archive.JWK }
	rec := w.do(call{method: "GET", path: "/api/v1/receipt-keys"})
	if err := json.Unmarshal(rec.Body.Bytes(), &set); err != nil || len(set.Keys) != 1 || set.Keys[0] != key {
		t.Errorf("%d %s %v", rec.Code, rec.Body, err)
	}
}
