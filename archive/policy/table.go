package policy

import "dangan/archive"

// Rows is the table. The first row that holds decides, so refusals come first
// and rows with lighter conditions before those with heavier ones.
func Rows() []Row {
	var (
		ids       = []archive.Mask{archive.MaskIDs}
		personnel = []archive.Family{archive.Personnel}
		people    = []archive.Family{archive.Livelihood}
		both      = []archive.Family{archive.Personnel, archive.Livelihood}
		clerks    = []archive.Role{archive.RoleUploader, archive.RoleReviewer, archive.RoleApprover, archive.RoleHead}
		reviewers = []archive.Role{archive.RoleReviewer, archive.RoleApprover, archive.RoleHead}
		approver  = []archive.Role{archive.RoleApprover, archive.RoleHead}
		head      = []archive.Role{archive.RoleHead}
		admin     = []archive.Role{archive.RoleAdmin}
		drafters  = []archive.Role{archive.RoleUploader, archive.RoleReviewer, archive.RoleApprover, archive.RoleHead, archive.RoleAdmin}
		security  = []archive.Role{archive.RoleSecurity}
		watchers  = []archive.Role{archive.RoleAdmin, archive.RoleSecurity, archive.RoleAuditor}
		auditor   = []archive.Role{archive.RoleAuditor}
		citizen   = []archive.Role{archive.RoleCitizen}
		agency    = []archive.Role{archive.RoleAgency}
		service   = []archive.Role{archive.RoleSystem}
		everybody = everybody()
		named     = named()
	)
	may := func(acts ...archive.Action) []archive.Action { return acts }
	return []Row{
		// Nobody handles a matter of his own or of a relative (回避), or reads their personnel files.
		{Who: clerks, May: may(archive.ActDescribe, archive.ActRead, archive.ActReveal, archive.ActFile, archive.ActReview, archive.ActApprove), Where: Concerned, Refused: true},
		{Who: everybody, May: may(archive.ActRead, archive.ActReveal, archive.ActFile), Families: personnel, Where: Concerned, Refused: true},

		// Records.
		{Who: clerks, May: may(archive.ActDeposit), Where: OwnOffice, Masks: ids},
		{Who: clerks, May: may(archive.ActDescribe), Where: OwnOffice, Purpose: true, Trace: true, Masks: ids},
		{Who: clerks, May: may(archive.ActSearch), Where: Anyone, Trace: true, Masks: ids},
		{Who: clerks, May: may(archive.ActRead, archive.ActFile), Families: people, Where: Open, Trace: true, Masks: ids},
		{Who: clerks, May: may(archive.ActRead), Families: people, Where: OwnOffice, Trace: true, Masks: ids},
		{Who: clerks, May: may(archive.ActRead), Families: personnel, Where: OwnOffice, Purpose: true, Trace: true, Masks: ids},
		{Who: clerks, May: may(archive.ActFile), Families: both, Where: OwnOffice, Purpose: true, Trace: true},
		{Who: clerks, May: may(archive.ActReveal), Families: both, Where: OwnOffice, Purpose: true, Case: true, Trace: true},
		{Who: service, May: may(archive.ActRead, archive.ActFile), Families: both, Where: Anyone, Trace: true},

		// Requests. That a citizen is known by real name is for the desk to ask.
		{Who: citizen, May: may(archive.ActSubmit), Where: Anyone},
		{Who: citizen, May: may(archive.ActListRequests, archive.ActReadRequest, archive.ActWithdraw, archive.ActSupplement), Where: Applicant},
		{Who: clerks, May: may(archive.ActListRequests, archive.ActReadRequest), Where: OwnOffice, Trace: true},
		{Who: reviewers, May: may(archive.ActReview), Where: OwnOffice, Trace: true, Masks: ids, Second: archive.ActApprove},
		{Who: approver, May: may(archive.ActApprove), Where: OwnOffice},
		{Who: service, May: may(archive.ActReadRequest), Where: Anyone},

		// Certificates.
		{Who: citizen, May: may(archive.ActCertificate), Where: Applicant, Trace: true},
		{Who: clerks, May: may(archive.ActCertificate), Where: OwnOffice, Trace: true},
		{Who: approver, May: may(archive.ActReseal, archive.ActRevoke), Where: OwnOffice},
		{Who: service, May: may(archive.ActCertificate, archive.ActReseal), Where: Anyone},
		{Who: everybody, May: may(archive.ActVerify, archive.ActPublic), Where: Anyone},

		// Templates. Those of all offices are for whoever runs the system.
		{Who: drafters, May: may(archive.ActTemplates), Where: Anyone},
		{Who: head, May: may(archive.ActWriteTemplate), Where: OwnOffice},
		{Who: admin, May: may(archive.ActWriteTemplate), Where: Anyone},

		// Answers and traces.
		{Who: agency, May: may(archive.ActLookup), Where: Anyone, Purpose: true, Trace: true, Masks: []archive.Mask{archive.MaskIDs, archive.MaskNames}},
		{Who: auditor, May: may(archive.ActAccesses), Where: Anyone, Trace: true},
		{Who: citizen, May: may(archive.ActOwnAccesses), Where: Anyone},
		{Who: head, May: may(archive.ActSealCase), Where: Anyone, Purpose: true, Case: true, Trace: true},

		// Accounts. What the system administrator proposes, the security administrator confirms.
		{Who: named, May: may(archive.ActSelf), Where: Anyone},
		{Who: watchers, May: may(archive.ActAccounts), Where: Anyone, Trace: true, Masks: ids},
		{Who: admin, May: may(archive.ActPropose), Where: Anyone, Trace: true, Second: archive.ActConfirm},
		{Who: security, May: may(archive.ActConfirm, archive.ActKeys), Where: Anyone, Trace: true},
		{Who: clerks, May: may(archive.ActEnrol), Where: Anyone, Trace: true},
	}
}

// everybody are all roles, those without an account last.
func everybody() []archive.Role { return append(named(), archive.RoleSystem, archive.RoleAnonymous) }

// named are the roles of those who have an account.
func named() []archive.Role {
	return []archive.Role{
		archive.RoleUploader, archive.RoleReviewer, archive.RoleApprover, archive.RoleHead,
		archive.RoleAdmin, archive.RoleSecurity, archive.RoleAuditor, archive.RoleCitizen, archive.RoleAgency,
	}
}
