package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/peterbourgon/ff/v4"
)

func healthCommand(c console) *ff.Command {
	var s settings
	flags := s.flags("health")
	return &ff.Command{
		Name: "health", ShortHelp: "ask the service on --listen whether it is alive (for health checks without a shell)", Flags: flags,
		Exec: func(ctx context.Context, _ []string) error {
			if err := fromEnv(c.env, flags); err != nil {
				return err
			}
			return askHealth(ctx, s.listen)
		},
	}
}

func askHealth(ctx context.Context, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/healthz", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the service answers %s", resp.Status)
	}
	return nil
}
