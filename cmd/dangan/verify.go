package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/peterbourgon/ff/v4"

	"dangan/api/stamp"
)

func verifyCommand(c console) *ff.Command {
	flags := ff.NewFlagSet("verify")
	trust := flags.StringLong("trust", "", "PEM file with the certificate authority of the seals, and that of their time-stamps")
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
	roots, err := readPool(trust)
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
	fmt.Fprintf(c.stdout, "%s\n%s\n", result.Word, result.Why)
	switch result.Word {
	case stamp.Valid:
		return nil
	case stamp.Tampered:
		return exit(3)
	}
	return exit(4)
}
