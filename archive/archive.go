// Package archive is the language of an archive office (档案馆): records,
// people, reference codes, requests, certificates, and the rules that need
// nothing but the words themselves.
//
// It owns the shared types and their validation. It must not know how anything
// is stored, indexed, drawn or served: it does no I/O and imports only the
// standard library. The use cases live in the rooms below it (holdings, desk,
// certificates, evidence, work, lookup); each room declares the narrow ports it
// needs in terms of the types here, and only cmd/dangan joins rooms to adapters.
package archive
