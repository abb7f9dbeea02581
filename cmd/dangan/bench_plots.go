package main

import "errors"

func plot([]string, string) error { return errors.New("later") }
