package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/emmansun/gmsm/smx509"
	"github.com/peterbourgon/ff/v4"

	"dangan/api/stamp"
)

func verifyCommand(c console) *ff.Command {
	flags := ff.NewFlagSet("verify")
	trust := flags.StringLong("trust", "", "PEM file with the certificate authority of the seals, and those of their time-stamps and SM2 signatures")
	return &ff.Command{
		Name: "verify", Usage: "dangan verify FILE.pdf --trust CA.pem", Flags: flags,
		ShortHelp: "check a certificate offline: VALID, TAMPERED or UNKNOWN; exit status 0 only when VALID",
		Exec:      func(_ context.Context, args []string) error { return verifyFile(c, args, *trust) },
	}
}

func verifyFile(c console, args []string, trust string) error {
	if len(args) != 1 || trust == "" {
		return errors.New("verify takes one PDF file and --trust CA.pem")
	}
	pdf, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	roots, forSM2, err := readTrust(trust)
	if err != nil {
		return fmt.Errorf("--trust: %w", err)
	}
	result, err := stamp.Verify(pdf, roots, time.Now())
	if errors.Is(err, stamp.ErrNotPDF) {
		result, err = stamp.Result{Word: stamp.Unknown, Why: "The file is not a PDF."}, nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "%s\n%s\n%s", result.Word, result.Why, saySM2(result, forSM2))
	switch result.Word {
	case stamp.Valid:
		return nil
	case stamp.Tampered:
		return exit(3)
	}
	return exit(4)
}

// saySM2 is a line about the second signature; nothing without one. It does not change the word: who needs it reads it.
func saySM2(r stamp.Result, roots *smx509.CertPool) string {
	if r.Word != stamp.Valid || len(r.SM2) == 0 {
		return ""
	}
	by := r.SM2[0].Subject.CommonName
	if err := r.TrustSM2(roots); err != nil {
		return fmt.Sprintf("The SM2 signature in the seal, by %q, is sound, and nobody vouches for it: %v\n", by, err)
	}
	return fmt.Sprintf("The SM2 signature in the seal, by %q, is sound and by a trusted office.\n", by)
}
