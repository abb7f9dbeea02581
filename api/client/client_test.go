package client_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"dangan/api/client"
	"dangan/archive"
)

// TestCheck: an answer is believed only as it was signed, to this question, by a key of
// the service; how it is written down does not matter.
func TestCheck(t *testing.T) {
	key, err := archive.NewReceiptKey(make([]byte, 32))
	other, errOther := archive.NewReceiptKey(append(make([]byte, 31), 1))
	if err != nil || errOther != nil {
		t.Fatal(err, errOther)
	}
	const asked = `{"question":"record_exists","purpose":{"case":"1"}}`
	const unsigned = `{"exists":true,"years":[2010],"future":{"field":1},"receipt":"1","at":"2026-11-24T09:00:00Z"}`
	q, err := archive.Digest([]byte(asked))
	a, errAnswer := archive.Digest([]byte(unsigned))
	if err != nil || errAnswer != nil {
		t.Fatal(err, errAnswer)
	}
	signed, err := key.Sign(archive.Receipt{ID: "1", Question: q, Answer: a})
	if err != nil {
		t.Fatal(err)
	}
	raw := strings.TrimSuffix(unsigned, "}") + `, "signed": "` + signed + `"}`
	keys := []archive.JWK{other.Public(), key.Public()}
	got, err := client.Check([]byte(" "+asked), []byte(raw), keys)
	if err != nil || !got.Exists || got.Answer.Signed != signed || got.Signed.ID != "1" {
		t.Errorf("%+v %v", got, err)
	}
	for name, c := range map[string]struct {
		asked, raw string
		keys       []archive.JWK
	}{
		"another question": {strings.Replace(asked, "1", "2", 1), raw, keys},
		"another answer":   {asked, strings.Replace(raw, "true", "false", 1), keys},
		"more than it was": {asked, strings.Replace(raw, "{", `{"months":7,`, 1), keys},
		"no receipt":       {asked, unsigned, keys},
		"another key":      {asked, raw, keys[:1]},
	} {
		if got, err := client.Check([]byte(c.asked), []byte(c.raw), c.keys); !errors.Is(err, client.ErrReceipt) || got.Exists {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	var syntax *json.SyntaxError
	if _, err := client.Check([]byte(asked), []byte("{secret"), keys); err == nil || errors.As(err, &syntax) {
		t.Errorf("%v", err)
	}
}
