//go:build cgo

// Command dangan-pkcs11 signs with a key in a PKCS #11 device, for dangan serve --signer-socket.
//
// It owns: the vendor's library, which runs in the address space of whoever loads it, and the session with the device.
// It must not know: certificates, PDF, or anything of the archive. When the device fails it ends; whoever runs it
// starts it again.
package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"dangan/api/stamp/remote"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "dangan-pkcs11: %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	fs := flag.NewFlagSet("dangan-pkcs11", flag.ContinueOnError)
	fs.SetOutput(stderr)
	module := fs.String("module", "", "the vendor's PKCS #11 library")
	label := fs.String("token", "", "label of the token")
	key := fs.String("key", "", "label of the key pair, ECDSA or RSA")
	pinFile := fs.String("pin-file", "", "file with the user's PIN")
	socket := fs.String("socket", "", "where to listen; only this user can reach it")
	request := fs.String("request", "", "print a certificate request for the key with this common name, and end")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if *module == "" || *label == "" || *key == "" || *pinFile == "" || (*socket == "") == (*request == "") || fs.NArg() > 0 {
		return errors.New("-module, -token, -key and -pin-file are required, and either -socket or -request")
	}
	pin, err := os.ReadFile(*pinFile)
	if err != nil {
		return fmt.Errorf("-pin-file: %w", err)
	}
	t, err := openToken(*module, *label, strings.TrimSpace(string(pin)), *key)
	if err != nil {
		return err
	}
	defer t.close()
	if *request != "" {
		return writeRequest(stdout, t, *request)
	}
	l, err := remote.Listen(*socket)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(stderr, nil))
	log.InfoContext(ctx, "signing", "token", *label, "key", *key, "socket", *socket)
	return remote.Serve(ctx, l, t, log)
}

// writeRequest makes what an authority issues a certificate for.
func writeRequest(w io.Writer, signer crypto.Signer, name string) error {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}, signer)
	if err != nil {
		return fmt.Errorf("certificate request: %w", err)
	}
	return pem.Encode(w, &pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
}
