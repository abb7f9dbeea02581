package archive

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// Receipt is what the archive signs about a question it answered: enough to prove
// later that this was asked and that was answered, and no personal data. Hashes are
// those of Digest, of the question as it was sent and of the answer without Signed.
type Receipt struct {
	ID       string      `json:"jti"` // of the access entry
	Agency   string      `json:"aud"` // account that asked
	At       int64       `json:"iat"` // Unix seconds
	Kind     string      `json:"question"`
	Question string      `json:"question_sha256"`
	Answer   string      `json:"answer_sha256"`
	Purpose  PurposeCode `json:"purpose"`
	Case     string      `json:"case"`
}

// JWK is the public half of a receipt key (RFC 8037).
type JWK struct {
	Type  string `json:"kty"` // OKP
	Curve string `json:"crv"` // Ed25519
	X     string `json:"x"`
	ID    string `json:"kid"` // thumbprint, RFC 7638
	Use   string `json:"use"` // sig
	Alg   string `json:"alg"` // EdDSA
}

// ReceiptKey signs receipts. It may be used concurrently.
type ReceiptKey struct {
	private ed25519.PrivateKey
	public  JWK
	header  string // of every signature, encoded
}

// receiptType is the media type of a receipt, as its header says it.
const receiptType = "dangan-receipt+jwt"

// joseHeader is the protected header of a receipt.
type joseHeader struct {
	Alg  string `json:"alg"`
	ID   string `json:"kid"`
	Type string `json:"typ"`
}

// NewReceiptKey makes the key of a seed of ed25519.SeedSize bytes.
func NewReceiptKey(seed []byte) (*ReceiptKey, error) {
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("receipt key: seed: %w", ErrInvalid)
	}
	private := ed25519.NewKeyFromSeed(seed)
	x := encode64(private.Public().(ed25519.PublicKey))
	thumb := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + x + `"}`))
	public := JWK{Type: "OKP", Curve: "Ed25519", X: x, ID: encode64(thumb[:]), Use: "sig", Alg: "EdDSA"}
	header, err := json.Marshal(joseHeader{public.Alg, public.ID, receiptType})
	if err != nil {
		return nil, fmt.Errorf("receipt key: %w", err)
	}
	return &ReceiptKey{private, public, encode64(header)}, nil
}

// Public is what receipts are checked with.
func (k *ReceiptKey) Public() JWK { return k.public }

// Sign gives a receipt as a compact JWS (RFC 7515).
func (k *ReceiptKey) Sign(r Receipt) (string, error) {
	payload, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("sign receipt: %w", err)
	}
	text := k.header + "." + encode64(payload)
	return text + "." + encode64(ed25519.Sign(k.private, []byte(text))), nil
}

// OpenReceipt reads a receipt that one of the keys has signed. Anything else is
// ErrInvalid. That the receipt is of a question and an answer is then for the caller
// to compare (Digest).
func OpenReceipt(jws string, keys []JWK) (Receipt, error) {
	var header joseHeader
	var r Receipt
	parts := strings.Split(jws, ".")
	if len(parts) != 3 || decode64(parts[0], &header) != nil || header.Alg != "EdDSA" || header.Type != receiptType || decode64(parts[1], &r) != nil {
		return Receipt{}, fmt.Errorf("open receipt: %w", ErrInvalid)
	}
	signature, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	for _, k := range keys {
		x, bad := base64.RawURLEncoding.Strict().DecodeString(k.X)
		if err == nil && bad == nil && k.ID == header.ID && k.Curve == "Ed25519" && len(x) == ed25519.PublicKeySize &&
			ed25519.Verify(x, []byte(parts[0]+"."+parts[1]), signature) {
			return r, nil
		}
	}
	return Receipt{}, fmt.Errorf("open receipt: no key has signed it: %w", ErrInvalid)
}

// Digest is the SHA-256, in hex, of the canonical form of a JSON value (RFC 8785): so
// it does not matter how somebody writes it down. Numbers must be whole.
func Digest(raw []byte) (string, error) {
	var v any
	in := json.NewDecoder(bytes.NewReader(raw))
	in.UseNumber()
	if err := in.Decode(&v); err != nil {
		return "", fmt.Errorf("digest: %w", ErrInvalid) // the decoder's words may repeat the input
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return "", fmt.Errorf("digest: %w", err)
	}
	// encoding/json escapes two characters more than RFC 8785 does.
	text := strings.NewReplacer(`\\`, `\\`, `\u2028`, "\u2028", `\u2029`, "\u2029").Replace(strings.TrimSuffix(out.String(), "\n"))
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:]), nil
}

func encode64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func decode64(text string, v any) error {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, v)
}
