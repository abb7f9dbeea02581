package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/peterbourgon/ff/v4"
)

// settings is everything that can be configured. Each is a flag of `dangan
// serve` and, upper-cased with DANGAN_ before it, a variable of the environment.
// Secrets are files, so that none stands in a process list.
type settings struct {
	listen      string
	s3Endpoint  string
	s3Region    string
	s3Bucket    string
	s3AccessKey string
	s3SecretKey string // file
	meiliURL    string
	meiliKey    string // file
	rootKey     string // file
	ringAge     time.Duration
	signerCert  string // file
	signerKey   string // file
	signerPass  string // file
	signerAt    string // socket
	sm2Cert     string // file
	sm2Key      string // file
	tsaURL      string
	tsaCert     string // file
	sealProof   bool
	sealCRLs    string // files
	publicURL   string
	logLevel    string
	ocr         ocrSettings
}

const envPrefix = "DANGAN_"

func (s *settings) flags(name string) *ff.FlagSet {
	fs := ff.NewFlagSet(name)
	fs.StringVar(&s.listen, 0, "listen", "127.0.0.1:8080", "address to listen on")
	fs.StringVar(&s.s3Endpoint, 0, "s3-endpoint", "", "URL of the object store, http://host:port or https://host:port")
	fs.StringVar(&s.s3Region, 0, "s3-region", "us-east-1", "region of the object store")
	fs.StringVar(&s.s3Bucket, 0, "s3-bucket", "dangan", "bucket; made when it is missing")
	fs.StringVar(&s.s3AccessKey, 0, "s3-access-key", "", "access key of the object store")
	fs.StringVar(&s.s3SecretKey, 0, "s3-secret-key-file", "", "file with the secret key of the object store")
	fs.StringVar(&s.meiliURL, 0, "meili-url", "", "URL of Meilisearch; several, separated by commas, share the records by fonds")
	fs.StringVar(&s.meiliKey, 0, "meili-key-file", "", "file with a key of Meilisearch that may manage the index")
	fs.StringVar(&s.rootKey, 0, "root-key-file", "", "file with the root key, 64 hex digits; who has it reads everything, and without it nobody can")
	fs.DurationVar(&s.ringAge, 0, "ring-age", time.Minute, "how long the key ring is used without reading it again; the same for all processes on a bucket")
	fs.StringVar(&s.signerCert, 0, "signer-cert-file", "", "PEM file with the seal's certificate and its chain")
	fs.StringVar(&s.signerKey, 0, "signer-key-file", "", "PEM file with the seal's private key (PKCS #8); who has it can seal")
	fs.StringVar(&s.signerPass, 0, "signer-passphrase-file", "", "file with the passphrase of an encrypted private key")
	fs.StringVar(&s.signerAt, 0, "signer-socket", "", "Unix socket of a process that signs, such as dangan-pkcs11, in the place of a private key")
	fs.StringVar(&s.sm2Cert, 0, "sm2-cert-file", "", "PEM file with a certificate for SM2 and its chain, for a second signature in each seal")
	fs.StringVar(&s.sm2Key, 0, "sm2-key-file", "", "PEM file with the private key for SM2 (PKCS #8); an encrypted one opens with the same passphrase")
	fs.StringVar(&s.tsaURL, 0, "tsa-url", "", "URL of a time-stamp authority (RFC 3161); with it, nothing is sealed without a time-stamp")
	fs.StringVar(&s.tsaCert, 0, "tsa-cert-file", "", "PEM file with the root of the time-stamp authority, answers by others are refused; beside it those of earlier authorities, for renewals")
	fs.BoolVar(&s.sealProof, 0, "seal-proof", "embed the lists or answers (OCSP) that prove that no certificate of the seal and the time-stamp was revoked, from the addresses in the certificates; without them nothing is sealed")
	fs.StringVar(&s.sealCRLs, 0, "seal-crl-files", "", "files with such lists (CRL, PEM or DER), separated by commas, used before the addresses; read anew each time")
	fs.StringVar(&s.publicURL, 0, "public-url", "", "URL at which the public reaches this service; printed on certificates")
	s.ocr.flags(fs)
	fs.StringVar(&s.logLevel, 0, "log-level", "info", "debug, info, warn or error")
	return fs
}

// fromEnv fills the flags that the command line left alone from the environment.
// A variable that looks like a setting and is none is an error: a misspelt
// setting must not be ignored.
func fromEnv(env []string, flags *ff.FlagSet) error {
	known := map[string]ff.Flag{}
	err := flags.WalkFlags(func(f ff.Flag) error {
		long, _ := f.GetLongName()
		known[envPrefix+strings.ToUpper(strings.ReplaceAll(long, "-", "_"))] = f
		return nil
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, envPrefix) {
			continue
		}
		f, ok := known[name]
		switch {
		case !ok:
			errs = append(errs, fmt.Errorf("unknown setting %s", name))
		case !f.IsSet():
			if err := f.SetValue(value); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			}
		}
	}
	return errors.Join(errs...)
}

// check lists everything that is missing or malformed, at once.
func (s *settings) check() error {
	err := errors.Join(s.checkStore(), required("meili-url", s.meiliURL), required("signer-cert-file", s.signerCert),
		required("public-url", s.publicURL),
		httpURL("public-url", s.publicURL), httpURL("tsa-url", s.tsaURL))
	if (s.tsaURL == "") != (s.tsaCert == "") {
		err = errors.Join(err, errors.New("--tsa-url and --tsa-cert-file go together"))
	}
	if (s.signerKey == "") == (s.signerAt == "") {
		err = errors.Join(err, errors.New("either --signer-key-file or --signer-socket is required"))
	}
	if (s.sm2Key == "") != (s.sm2Cert == "") {
		err = errors.Join(err, errors.New("--sm2-key-file and --sm2-cert-file go together"))
	}
	if s.sealProof && s.tsaURL == "" {
		err = errors.Join(err, errors.New("--seal-proof needs --tsa-url: a proof is worth nothing without a time"))
	}
	for shard := range strings.SplitSeq(s.meiliURL, ",") {
		err = errors.Join(err, httpURL("meili-url", strings.TrimSpace(shard)))
	}
	if _, _, bad := net.SplitHostPort(s.listen); bad != nil {
		err = errors.Join(err, errors.New("--listen must be host:port"))
	}
	return err
}

// checkStore is check for what only the bucket needs.
func (s *settings) checkStore() error {
	err := errors.Join(required("s3-endpoint", s.s3Endpoint), required("s3-access-key", s.s3AccessKey),
		required("s3-secret-key-file", s.s3SecretKey), required("root-key-file", s.rootKey), httpURL("s3-endpoint", s.s3Endpoint))
	if s.ringAge < time.Second {
		err = errors.Join(err, errors.New("--ring-age must be a second or more"))
	}
	return err
}

func required(flag, value string) error {
	if value == "" {
		return fmt.Errorf("--%s is required", flag)
	}
	return nil
}

func httpURL(flag, value string) error {
	if u, err := url.Parse(value); value != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("--%s must be an http or https URL", flag)
	}
	return nil
}

// readSecret reads a secret from a file; the error names the file and never
// quotes it.
func readSecret(flag, path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("--%s: %w", flag, err)
	}
	secret := strings.TrimSpace(string(raw))
	if secret == "" {
		return "", fmt.Errorf("--%s: %s is empty", flag, path)
	}
	return secret, nil
}

func (s *settings) logger(c console) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.logLevel)); err != nil {
		return nil, errors.New("--log-level must be debug, info, warn or error")
	}
	return slog.New(slog.NewJSONHandler(c.stderr, &slog.HandlerOptions{Level: level})), nil
}
