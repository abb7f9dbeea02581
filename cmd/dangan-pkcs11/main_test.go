//go:build cgo

package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"dangan/api/stamp"
	"dangan/api/stamp/remote"
	"dangan/internal/testenv"
)

const pin = "2468"

// newDevice makes a token with a key pair of each kind, which never leave it, and returns the library.
func newDevice(t *testing.T) string {
	t.Helper()
	util := testenv.Path(t, "softhsm2-util")
	dir := t.TempDir()
	conf := filepath.Join(dir, "softhsm2.conf")
	write(t, conf, "directories.tokendir = "+dir+"\nlog.level = ERROR\n")
	t.Setenv("SOFTHSM2_CONF", conf)
	if out, err := exec.Command(util, "--init-token", "--free", "--label", "office", "--so-pin", "1357", "--pin", pin).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const library = "/usr/lib/softhsm/libsofthsm2.so" // of Debian's package
	module := pkcs11.New(library)
	if module == nil {
		t.Fatalf("no %s", library)
	}
	defer module.Destroy()
	if err := module.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = module.Finalize() }()
	slots, err := module.GetSlotList(true)
	if err != nil {
		t.Fatal(err)
	}
	session, err := module.OpenSession(slots[0], pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	if err != nil {
		t.Fatal(err)
	}
	if err := module.Login(session, pkcs11.CKU_USER, pin); err != nil {
		t.Fatal(err)
	}
	prime256v1 := []byte{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}
	generate(t, module, session, "ec", pkcs11.CKM_EC_KEY_PAIR_GEN, pkcs11.NewAttribute(pkcs11.CKA_EC_PARAMS, prime256v1))
	generate(t, module, session, "rsa", pkcs11.CKM_RSA_PKCS_KEY_PAIR_GEN, pkcs11.NewAttribute(pkcs11.CKA_MODULUS_BITS, 2048))
	return library
}

func generate(t *testing.T, module *pkcs11.Ctx, session pkcs11.SessionHandle, label string, mechanism uint, kind *pkcs11.Attribute) {
	t.Helper()
	yes := func(a uint) *pkcs11.Attribute { return pkcs11.NewAttribute(a, true) }
	public := []*pkcs11.Attribute{kind, yes(pkcs11.CKA_TOKEN), yes(pkcs11.CKA_VERIFY), pkcs11.NewAttribute(pkcs11.CKA_LABEL, label)}
	private := []*pkcs11.Attribute{yes(pkcs11.CKA_TOKEN), yes(pkcs11.CKA_PRIVATE), yes(pkcs11.CKA_SENSITIVE), yes(pkcs11.CKA_SIGN), pkcs11.NewAttribute(pkcs11.CKA_LABEL, label)}
	if _, _, err := module.GenerateKeyPair(session, []*pkcs11.Mechanism{pkcs11.NewMechanism(mechanism, nil)}, public, private); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// command is the built program.
func command(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dangan-pkcs11")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// issue has an authority certify what the device asks for.
func issue(t *testing.T, request []byte) (root *x509.Certificate, chain []*x509.Certificate) {
	t.Helper()
	block, _ := pem.Decode(request)
	if block == nil {
		t.Fatalf("no request: %s", request)
	}
	asked, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil || asked.CheckSignature() != nil || asked.Subject.CommonName != "青川市档案馆" {
		t.Fatalf("%v, %v", asked, err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: asked.Subject, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour)}
	for _, c := range []struct {
		template *x509.Certificate
		public   crypto.PublicKey
	}{{leaf, asked.PublicKey}, {ca, key.Public()}} {
		der, err := x509.CreateCertificate(rand.Reader, c.template, ca, c.public, key)
		if err != nil {
			t.Fatal(err)
		}
		made, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		chain = append(chain, made)
	}
	return chain[1], chain
}

// device is the program with a token, as an operator would run it.
type device struct {
	t      *testing.T
	args   []string
	socket string
	cmd    *exec.Cmd
}

func newDeviceFor(t *testing.T, program, library, key string) *device {
	t.Helper()
	dir := t.TempDir()
	d := &device{t: t, socket: filepath.Join(dir, "socket")}
	d.args = []string{program, "-module", library, "-token", "office", "-key", key, "-pin-file", write(t, filepath.Join(dir, "pin"), pin+"\n")}
	t.Cleanup(d.kill)
	return d
}

// request is what the program prints for an authority.
func (d *device) request() []byte {
	d.t.Helper()
	out, err := exec.Command(d.args[0], append(d.args[1:], "-request", "青川市档案馆")...).Output()
	if err != nil {
		d.t.Fatal(err)
	}
	return out
}

// start runs it until kill, and waits until it answers.
func (d *device) start(signer *remote.Signer) {
	d.t.Helper()
	d.cmd = exec.Command(d.args[0], append(d.args[1:], "-socket", d.socket)...)
	var out bytes.Buffer
	d.cmd.Stderr = &out
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		err := signer.Check(d.t.Context())
		if err == nil {
			return
		}
		if !errors.Is(err, remote.ErrUnavailable) || time.Now().After(deadline) {
			d.t.Fatalf("%v\n%s", err, out.String())
		}
	}
}

func (d *device) kill() {
	if d.cmd != nil {
		_ = d.cmd.Process.Kill() // may have ended
		_ = d.cmd.Wait()
		d.cmd = nil
	}
}

// TestSealWithDevice: keys that never leave the token seal certificates; while the program is away nothing is sealed,
// and when it is back everything is. Poppler accepts what came out.
func TestSealWithDevice(t *testing.T) {
	library, program := newDevice(t), command(t)
	for _, key := range []string{"ec", "rsa"} {
		t.Run(key, func(t *testing.T) {
			d := newDeviceFor(t, program, library, key)
			root, chain := issue(t, d.request())
			signer := remote.New(d.socket, chain[0].PublicKey, time.Minute)
			s, err := stamp.New(stamp.Config{Signer: signer, Chain: chain, SealName: "青川市档案馆", SealPurpose: "档案证明专用章", SealNumber: "1"})
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if _, err := s.Issue(t.Context(), sheet()); !errors.Is(err, remote.ErrUnavailable) {
					t.Errorf("without the device: %v", err)
				}
				d.start(signer)
				pdf, err := s.Issue(t.Context(), sheet())
				if err != nil {
					t.Fatal(err)
				}
				checkPDF(t, root, pdf)
				d.kill()
			}
		})
	}
}

func sheet() stamp.Sheet {
	return stamp.Sheet{Language: "zh-CN", Issuer: "青川市档案馆", Title: "婚姻登记档案证明", Number: "青档证〔2026〕000001号", SignedBy: "青川市档案馆",
		Date: "2026年11月24日", Body: []stamp.Paragraph{{{Text: "特此证明。"}}}, QRText: "https://archives.example.test/v", CheckCode: "AAAA-BBBB-CCCC",
		VerifyURL: "https://archives.example.test/v", Footer: "1", Labels: stamp.Chinese()}
}

func checkPDF(t *testing.T, root *x509.Certificate, pdf []byte) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(root)
	if r, err := stamp.Verify(pdf, roots, time.Now()); err != nil || r.Word != stamp.Valid {
		t.Errorf("%s: %s, %v", r.Word, r.Why, err)
	}
	dir := t.TempDir()
	ca := write(t, filepath.Join(dir, "root.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw})))
	file := write(t, filepath.Join(dir, "c.pdf"), string(pdf))
	var out []byte
	for _, args := range [][]string{
		{"certutil", "-N", "-d", "sql:" + dir, "--empty-password"},
		{"certutil", "-A", "-d", "sql:" + dir, "-n", "root", "-t", "CT,C,C", "-i", ca},
		{"pdfsig", "-nssdir", "sql:" + dir, file},
	} {
		var err error
		if out, err = exec.Command(testenv.Path(t, args[0]), args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", args[0], err, out)
		}
	}
	for _, want := range []string{"Signature is Valid.", "Certificate is Trusted.", "Total document signed"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("pdfsig does not say %q:\n%s", want, out)
		}
	}
}

// TestRefused: what cannot work is said at the start, without the PIN.
func TestRefused(t *testing.T) {
	library := newDevice(t)
	dir := t.TempDir()
	wrong := write(t, filepath.Join(dir, "pin"), "97531")
	right := write(t, filepath.Join(dir, "right"), pin)
	for want, args := range map[string][]string{
		"required":     {"-module", library},
		"log in":       {"-module", library, "-token", "office", "-key", "ec", "-pin-file", wrong, "-request", "x"},
		"no token":     {"-module", library, "-token", "others", "-key", "ec", "-pin-file", right, "-request", "x"},
		"there are 0":  {"-module", library, "-token", "office", "-key", "none", "-pin-file", right, "-request", "x"},
		"no PKCS #11":  {"-module", wrong, "-token", "office", "-key", "ec", "-pin-file", right, "-request", "x"},
		"no such file": {"-module", library, "-token", "office", "-key", "ec", "-pin-file", filepath.Join(dir, "none"), "-request", "x"},
	} {
		var out bytes.Buffer
		err := run(t.Context(), args, &out, &out)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error()+out.String(), "97531") {
			t.Errorf("%s: %v", want, err)
		}
	}
}
