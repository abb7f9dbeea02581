package stamp

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"dangan/internal/testenv"
)

// run executes a checker in an empty folder of its own and returns what it printed.
func run(t *testing.T, tool string, args ...string) string {
	t.Helper()
	cmd := exec.Command(testenv.Path(t, tool), args...)
	cmd.Env = []string{"HOME=" + t.TempDir(), "LC_ALL=C.UTF-8", "TZ=UTC"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", tool, err, out)
	}
	return string(out)
}

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func certificatePEM(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

func issue(t testing.TB, s testStamper, sheet Sheet) []byte {
	t.Helper()
	pdf, err := s.Issue(context.Background(), sheet)
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}

// newRSAStamper seals with RSA under a root of its own.
func newRSAStamper(t testing.TB) testStamper {
	t.Helper()
	now := time.Now()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	root := demoTemplate("test root", now, 1)
	root.IsCA, root.KeyUsage = true, x509.KeyUsageCertSign
	rootKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := demoCertificate(rand.Reader, root, root, rootKey.Public(), rootKey)
	if err != nil {
		t.Fatal(err)
	}
	leaf := demoTemplate("test seal", now, 1)
	leaf.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	seal, err := demoCertificate(rand.Reader, leaf, ca, key.Public(), rootKey)
	if err != nil {
		t.Fatal(err)
	}
	return stamperWith(t, ca, []*x509.Certificate{seal, ca}, crypto.Signer(key), now)
}

// TestCheckersAccept asks four programs that share no code with this package, with both kinds of key and
// every kind of sheet.
func TestCheckersAccept(t *testing.T) {
	stampers := map[string]testStamper{"ECDSA": newTestStamper(t), "RSA": newRSAStamper(t)}
	sheets := map[string]Sheet{"Chinese": marriageSheet(), "long": longSheet(), "English": englishSheet()}
	for key, s := range stampers {
		for name, sheet := range sheets {
			t.Run(key+"/"+name, func(t *testing.T) {
				pdf := issue(t, s, sheet)
				file := write(t, "certificate.pdf", pdf)
				run(t, "qpdf", "--check", file)
				checkPDFSig(t, s, file)
				if out := run(t, "mutool", "sign", "-v", file); !strings.Contains(out, "unchanged since signing") {
					t.Errorf("mutool: %s", out)
				}
				checkOpenSSL(t, s, pdf)
			})
		}
	}
}

func checkPDFSig(t *testing.T, s testStamper, file string) {
	t.Helper()
	nss := t.TempDir()
	root := write(t, "root.pem", certificatePEM(s.ca))
	run(t, "certutil", "-N", "-d", "sql:"+nss, "--empty-password")
	run(t, "certutil", "-A", "-d", "sql:"+nss, "-n", "root", "-t", "CT,C,C", "-i", root)
	out := run(t, "pdfsig", "-nssdir", "sql:"+nss, file)
	for _, want := range []string{
		"Signature is Valid.", "Certificate is Trusted.", "Total document signed",
		"Signature Type: ETSI.CAdES.detached", "Signing Hash Algorithm: SHA-256",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("pdfsig does not say %q:\n%s", want, out)
		}
	}
}

// checkOpenSSL takes the signature out with nothing but the byte range and checks it as CAdES.
func checkOpenSSL(t *testing.T, s testStamper, pdf []byte) {
	t.Helper()
	var first, start, end, tail int
	_, after, _ := strings.Cut(string(pdf), "/ByteRange [")
	if _, err := fmt.Sscanf(after, "%d %d %d %d", &first, &start, &end, &tail); err != nil {
		t.Fatal(err)
	}
	der, err := hex.DecodeString(string(pdf[start+1 : end-1]))
	if err != nil {
		t.Fatal(err)
	}
	content := append(append([]byte(nil), pdf[:start]...), pdf[end:end+tail]...)
	out := run(t, "openssl", "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-purpose", "any",
		"-in", write(t, "signature.der", der), "-content", write(t, "content", content),
		"-CAfile", write(t, "root.pem", certificatePEM(s.ca)), "-out", filepath.Join(t.TempDir(), "out"))
	if !strings.Contains(out, "Verification successful") {
		t.Errorf("openssl: %s", out)
	}
}

// squash drops white space: where a reader sees a space depends on the reader.
func squash(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// TestTextReadsBack finds every text of the sheet in the text layer, rare names and shared glyphs
// included, in two independent readers.
func TestTextReadsBack(t *testing.T) {
	s := newTestStamper(t)
	shared := marriageSheet()
	shared.Rows[0][0].Value = "李金年理‑-料更⾦" // the last ones share glyphs with compatibility forms
	for name, sheet := range map[string]Sheet{"Chinese": marriageSheet(), "English": englishSheet(), "shared glyphs": shared} {
		t.Run(name, func(t *testing.T) {
			file := write(t, "certificate.pdf", issue(t, s, sheet))
			for tool, text := range map[string]string{
				"pdftotext": squash(run(t, "pdftotext", "-raw", file, "-")),
				"mutool":    squash(run(t, "mutool", "draw", "-q", "-F", "txt", file)),
			} {
				for _, want := range texts(sheet) {
					if !strings.Contains(text, squash(want)) {
						t.Errorf("%s does not read back %q from:\n%s", tool, want, text)
					}
				}
			}
		})
	}
}

// TestLinesReadBackExactly looks at white space too: a space inside a name or a number would keep a search
// from finding it.
func TestLinesReadBackExactly(t *testing.T) {
	s := newTestStamper(t)
	lines := strings.Split(run(t, "pdftotext", "-raw", write(t, "certificate.pdf", issue(t, s, marriageSheet())), "-"), "\n")
	for _, want := range []string{
		"青川市档案馆",
		"婚姻登记档案证明",
		"编号：青档证〔2026〕7K3M-000123号",
		"申请人 张㛃 身份证号 999999********0016",
		"张㛃（女，1990年3月7日出生）与李𬱖（男，1988年10",
		"月2日出生）于2010年5月20日在青川市民政局婚姻登记处登记",
		"结婚证字号为J510822-2010-003456，经办人王龘。[2]",
		"上述内容与馆藏档案原件核对无异，特此证明。",
		"[1] J0231-MS-2010-0456-0078 第3页，结婚登记申请书，2010年5月20日",
		"有效期限 自开具之日起六个月内有效。",
		"核验码：7F3K-9QX2-M5TB",
		"2026年11月23日",
		"第 1 页 共 1 页 青档证〔2026〕7K3M-000123号",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no line %q in:\n%s", want, strings.Join(lines, "\n"))
		}
	}
}

// texts lists what must be readable as it was written: cells that wrap are read line by line.
func texts(s Sheet) []string {
	list := []string{s.Issuer, s.Title, s.Labels.Number + s.Number, s.Labels.End, s.CheckCode, s.VerifyURL, s.Footer, s.SignedBy, s.Date}
	for _, paragraph := range s.Body {
		var text strings.Builder
		for _, sentence := range paragraph {
			text.WriteString(sentence.Text)
			if sentence.Source != "" {
				_, number := s.sources()
				fmt.Fprintf(&text, "[%d]", number[sentence.Source])
				list = append(list, sentence.Source)
			}
		}
		list = append(list, text.String())
	}
	for _, row := range s.Rows {
		for _, field := range row {
			list = append(list, strings.Fields(field.Value)[0])
		}
	}
	return list
}

func TestQRCodeReadsBack(t *testing.T) {
	s := newTestStamper(t)
	for name, sheet := range map[string]Sheet{"one page": marriageSheet(), "last page": longSheet()} {
		t.Run(name, func(t *testing.T) {
			file := write(t, "certificate.pdf", issue(t, s, sheet))
			prefix := filepath.Join(t.TempDir(), "page")
			run(t, "pdftoppm", "-r", "110", "-gray", file, prefix)
			pages, err := filepath.Glob(prefix + "*")
			if err != nil || len(pages) == 0 {
				t.Fatal(pages, err)
			}
			out := run(t, "zbarimg", "-q", "--raw", "--nodbus", pages[len(pages)-1])
			if strings.TrimSpace(out) != sheet.QRText {
				t.Errorf("read %q, want %q", out, sheet.QRText)
			}
		})
	}
}

func TestPagesAreNumbered(t *testing.T) {
	s := newTestStamper(t)
	text := squash(run(t, "pdftotext", write(t, "long.pdf", issue(t, s, longSheet())), "-"))
	for page := 1; page <= 4; page++ {
		if want := fmt.Sprintf("第%d页共4页", page); !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Count(text, "（以下空白）") != 1 || strings.Count(text, "（续页）") != 3 {
		t.Errorf("the end or the continuation marks are wrong:\n%s", text)
	}
}
