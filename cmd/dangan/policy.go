package main

import (
	"context"

	"github.com/peterbourgon/ff/v4"

	"dangan/archive/policy"
)

func policyCommand(c console) *ff.Command {
	return &ff.Command{Name: "policy", ShortHelp: "print who may do what, as docs/policy.md has it", Exec: func(context.Context, []string) error {
		return policy.Print(c.stdout)
	}}
}
