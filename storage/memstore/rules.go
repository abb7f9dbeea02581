package memstore

import (
	"regexp"
	"slices"
	"strings"
)

// rule says which operations may be done to the objects under a prefix, and
// which of them may be done to an object that is there already.
type rule struct {
	prefix  string
	allowed []string
	over    []string
}

// rules is the column "written" of FORMAT.md section 1. The first that fits counts.
var rules = []rule{
	{"system/probe-", []string{Create, Replace, Delete}, []string{Replace, Delete}},
	{"system/keyring", []string{Create, Replace}, []string{Replace}},
	{"system/format", []string{Create}, nil},
	{"key/", []string{Create, Replace, Delete}, []string{Replace, Delete}},
	{"chain/", []string{Create}, nil},
	{"blob/", []string{Stream, Delete}, []string{Delete}},
	{"derived/", []string{Put, Delete}, []string{Put, Delete}},
	{"claim/", []string{Create, Replace}, []string{Replace}},
	{"mark/", []string{Put, Delete}, []string{Put, Delete}},
	{"work/", []string{Put, Delete}, []string{Put, Delete}},
	{"access/", []string{Create}, nil},
	{"lease/", []string{Create, Replace}, []string{Replace}},
}

var goodKey = regexp.MustCompile(`^[a-z0-9_-][a-z0-9._-]{0,198}(/[a-z0-9_-][a-z0-9._-]{0,198})+$`)

// broken names the rule of FORMAT.md that an operation breaks, if any. s.mu is held.
func (s *Store) broken(op, key string, exists bool) string {
	if !goodKey.MatchString(key) {
		return "the key has a form that not every store keeps"
	}
	i := slices.IndexFunc(rules, func(r rule) bool { return strings.HasPrefix(key, r.prefix) })
	switch {
	case i < 0:
		return "FORMAT.md has no such prefix"
	case !slices.Contains(rules[i].allowed, op):
		return "FORMAT.md does not allow this operation here"
	case exists && !slices.Contains(rules[i].over, op):
		return "an immutable object would be lost"
	case op == Create && s.deleted[key]:
		return "created again after it was deleted, which not every store can"
	}
	for _, folder := range foldersOf(key) {
		if _, taken := s.objects[folder]; taken {
			return "one of its folders is an object"
		}
	}
	if s.folders[key] {
		return "the key is a folder of another"
	}
	return ""
}

// foldersOf lists "a" and "a/b" for "a/b/c".
func foldersOf(key string) []string {
	var folders []string
	for i, c := range key {
		if c == '/' {
			folders = append(folders, key[:i])
		}
	}
	return folders
}
