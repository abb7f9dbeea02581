package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"dangan/api/stamp"
	"dangan/api/stamp/timestamp"
)

// keepSeal opens the demonstration's seal and time-stamp authority, or makes them. The authority answers on a
// port of this machine until stop is called.
func keepSeal(dir, publicURL string) (s *sealer, stop func(), err error) {
	signer, chain, err := keepPair(dir, "seal", func() (*x509.Certificate, []*x509.Certificate, crypto.Signer, error) {
		return stamp.NewDemoAuthority(time.Now(), rand.Reader)
	})
	if err != nil {
		return nil, nil, err
	}
	clock, certificates, err := keepPair(dir, "tsa", func() (*x509.Certificate, []*x509.Certificate, crypto.Signer, error) {
		ca, server, err := stamp.NewDemoTimestamps(time.Now(), rand.Reader)
		if err != nil {
			return nil, nil, nil, err
		}
		return ca, []*x509.Certificate{server.Certificate, ca}, server.Signer, nil
	})
	if err != nil {
		return nil, nil, err
	}
	url, stop, err := serveTimestamps(&timestamp.Server{Signer: clock, Certificate: certificates[0], Now: time.Now})
	if err != nil {
		return nil, nil, err
	}
	s = newSealer(signer, chain, publicURL)
	s.dates, err = newTimestamps(url, filepath.Join(dir, "tsa.pem"))
	return s, stop, err
}

func serveTimestamps(h http.Handler) (url string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: h, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second}
	go func() { _ = server.Serve(l) }() // ends with stop
	return "http://" + l.Addr().String(), func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = server.Shutdown(ctx) // whatever it says, the process ends now
	}, nil
}

// keepPair opens NAME.pem and NAME.key, or makes them, and adds the authority to trust.pem. The key is written
// last: when it is there, all is there.
func keepPair(dir, name string, invent func() (ca *x509.Certificate, chain []*x509.Certificate, key crypto.Signer, err error)) (crypto.Signer, []*x509.Certificate, error) {
	certPath, keyPath := filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	if _, err := os.Stat(keyPath); !errors.Is(err, os.ErrNotExist) {
		return loadSigner(certPath, keyPath, "")
	}
	ca, chain, signer, err := invent()
	if err != nil {
		return nil, nil, err
	}
	key, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		return nil, nil, err
	}
	trustPath := filepath.Join(dir, "trust.pem")
	trust, err := os.ReadFile(trustPath)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, err
	}
	err = errors.Join(
		writeDurable(trustPath, append(trust, certificatesPEM(ca)...), 0o644),
		writeDurable(certPath, certificatesPEM(chain...), 0o644),
	)
	if err == nil {
		err = writeDurable(keyPath, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600)
	}
	return signer, chain, err
}

func certificatesPEM(list ...*x509.Certificate) []byte {
	var out []byte
	for _, c := range list {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}
