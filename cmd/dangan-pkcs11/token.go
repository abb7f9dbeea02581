//go:build cgo

package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"

	"github.com/miekg/pkcs11"
)

// token is one key of a device, in a session that is open as long as it is. One caller at a time may sign.
type token struct {
	module  *pkcs11.Ctx
	session pkcs11.SessionHandle
	private pkcs11.ObjectHandle
	public  crypto.PublicKey
}

var _ crypto.Signer = (*token)(nil)

// openToken logs in. The PIN is in no error.
func openToken(library, label, pin, key string) (*token, error) {
	module := pkcs11.New(library)
	if module == nil {
		return nil, fmt.Errorf("%s is no PKCS #11 library", library)
	}
	if err := module.Initialize(); err != nil {
		module.Destroy()
		return nil, fmt.Errorf("open device: %w", err)
	}
	t := &token{module: module}
	if err := t.open(label, pin, key); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func (t *token) open(label, pin, key string) error {
	slot, err := t.slot(label)
	if err != nil {
		return err
	}
	if t.session, err = t.module.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION); err != nil {
		return fmt.Errorf("open session: %w", err)
	}
	if err := t.module.Login(t.session, pkcs11.CKU_USER, pin); err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	if t.private, err = t.find(pkcs11.CKO_PRIVATE_KEY, key); err != nil {
		return fmt.Errorf("private key %q: %w", key, err)
	}
	public, err := t.find(pkcs11.CKO_PUBLIC_KEY, key)
	if err != nil {
		return fmt.Errorf("public key %q: %w", key, err)
	}
	if t.public, err = t.readPublic(public); err != nil {
		return fmt.Errorf("public key %q: %w", key, err)
	}
	return nil
}

func (t *token) close() {
	_ = t.module.Finalize() // ends sessions; there is nobody to tell
	t.module.Destroy()
}

func (t *token) slot(label string) (uint, error) {
	slots, err := t.module.GetSlotList(true)
	if err != nil {
		return 0, fmt.Errorf("list slots: %w", err)
	}
	for _, slot := range slots {
		info, err := t.module.GetTokenInfo(slot)
		if err == nil && info.Label == label {
			return slot, nil
		}
	}
	return 0, fmt.Errorf("no token %q in %d slots", label, len(slots))
}

// find finds the one object of a class with a label.
func (t *token) find(class uint, label string) (pkcs11.ObjectHandle, error) {
	err := t.module.FindObjectsInit(t.session, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, class), pkcs11.NewAttribute(pkcs11.CKA_LABEL, label)})
	if err != nil {
		return 0, err
	}
	found, _, err := t.module.FindObjects(t.session, 2)
	if err := errors.Join(err, t.module.FindObjectsFinal(t.session)); err != nil {
		return 0, err
	}
	if len(found) != 1 {
		return 0, fmt.Errorf("there are %d, want one", len(found))
	}
	return found[0], nil
}

// readPublic reads an EC key, and when it is none, an RSA key.
func (t *token) readPublic(object pkcs11.ObjectHandle) (crypto.PublicKey, error) {
	values, err := t.attributes(object, pkcs11.CKA_EC_PARAMS, pkcs11.CKA_EC_POINT)
	if err != nil {
		if values, err = t.attributes(object, pkcs11.CKA_MODULUS, pkcs11.CKA_PUBLIC_EXPONENT); err != nil {
			return nil, fmt.Errorf("neither ECDSA nor RSA: %w", err)
		}
		return &rsa.PublicKey{N: new(big.Int).SetBytes(values[0]), E: int(new(big.Int).SetBytes(values[1]).Int64())}, nil
	}
	var point []byte
	if _, err := asn1.Unmarshal(values[1], &point); err != nil {
		return nil, fmt.Errorf("read point: %w", err)
	}
	der, err := asn1.Marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}{
		pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}, Parameters: asn1.RawValue{FullBytes: values[0]}},
		asn1.BitString{Bytes: point, BitLength: 8 * len(point)},
	})
	if err != nil {
		return nil, err
	}
	return x509.ParsePKIXPublicKey(der)
}

func (t *token) attributes(object pkcs11.ObjectHandle, first, second uint) (values [2][]byte, err error) {
	list, err := t.module.GetAttributeValue(t.session, object, []*pkcs11.Attribute{pkcs11.NewAttribute(first, nil), pkcs11.NewAttribute(second, nil)})
	if err != nil {
		return values, err
	}
	return [2][]byte{list[0].Value, list[1].Value}, nil
}

// Public is the key of the certificate.
func (t *token) Public() crypto.PublicKey { return t.public }

// Sign signs a SHA-256 digest.
func (t *token) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts.HashFunc() != crypto.SHA256 || len(digest) != sha256.Size {
		return nil, errors.New("only SHA-256 digests are signed")
	}
	if _, ok := t.public.(*ecdsa.PublicKey); !ok {
		return t.sign(pkcs11.CKM_RSA_PKCS, append(digestInfo(), digest...))
	}
	value, err := t.sign(pkcs11.CKM_ECDSA, digest)
	if err != nil {
		return nil, err
	}
	half := len(value) / 2
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(value[:half]), new(big.Int).SetBytes(value[half:])})
}

func (t *token) sign(mechanism uint, data []byte) ([]byte, error) {
	if err := t.module.SignInit(t.session, []*pkcs11.Mechanism{pkcs11.NewMechanism(mechanism, nil)}, t.private); err != nil {
		return nil, fmt.Errorf("begin to sign: %w", err)
	}
	value, err := t.module.Sign(t.session, data)
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return value, nil
}

// digestInfo is what PKCS #1 v1.5 puts before a SHA-256 digest (RFC 8017, 9.2): the device pads and signs, and does
// not know what.
func digestInfo() []byte {
	return []byte{0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}
}
