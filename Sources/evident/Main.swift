import ArgumentParser
@main struct Evident: ParsableCommand { func run() { print("evident") } }
